import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LOSES_NOTHING, MACHINE_MS } from './bounds.ts';

export const rollingRestart: Fault = {
  name: 'rolling-restart',
  what: 'every worker is asked to end and started again, one after the other',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: MACHINE_MS,
  redelivery: 'none',
  async run(stage) {
    await stage.inject(null, async () => {
      for (const worker of stage.random.shuffle(stage.workers)) {
        await worker.terminate();
        await worker.start();
        await stage.untilOwned();
      }
    });
  },
};
