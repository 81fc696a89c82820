import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LOSES_NOTHING, MACHINE_MS } from './bounds.ts';

export const terminateWorker: Fault = {
  name: 'terminate-worker',
  what: 'a worker process is asked to end (SIGTERM)',
  kind: 'process',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: MACHINE_MS,
  redelivery: 'none',
  async run(stage) {
    const victim = stage.dynamicWorker();
    await stage.inject(victim.proc, () => victim.terminate());
  },
};
