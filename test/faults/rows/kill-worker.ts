import { TOPOLOGIES, type Fault } from '../fault.ts';
import { DETECTION_MS, LOSES_NOTHING } from './bounds.ts';

export const killWorker: Fault = {
  name: 'kill-worker',
  what: 'a worker process is killed (SIGKILL)',
  kind: 'process',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: DETECTION_MS,
  redelivery: 'window',
  async run(stage) {
    const victim = stage.anyWorker();
    await stage.inject(victim.proc, () => victim.kill());
  },
};
