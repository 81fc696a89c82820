import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LOSES_NOTHING, MACHINE_MS } from './bounds.ts';

const HOUR_MS = 3_600_000;
const STEPS = 4;
const STEP_MS = 600;

export const shiftWorkerClocks: Fault = {
  name: 'shift-worker-clocks',
  what: 'the wall clocks of all workers and producers jump by up to an hour, each its own way, several times',
  topologies: TOPOLOGIES,
  ...LOSES_NOTHING,
  resumeBoundMs: MACHINE_MS,
  redelivery: 'none',
  async run(stage) {
    const everybody = [...stage.workers, ...stage.producers];
    await stage.inject(null, async () => {
      for (let step = 0; step < STEPS; step++) {
        // From a large jump to a step as NTP makes it.
        for (const { process } of everybody)
          await process.send({
            type: 'clock',
            shiftMs: stage.random.pick([1, 0.001]) * stage.random.between(-HOUR_MS, HOUR_MS),
          });
        await stage.load(STEP_MS);
      }
      for (const { process } of everybody) await process.send({ type: 'clock', shiftMs: 0 });
      await stage.load(STEP_MS);
    });
  },
};
