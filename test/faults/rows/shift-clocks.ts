import { TOPOLOGIES, type Fault } from '../fault.ts';
import { DETECTION_MS, LOSES_NOTHING, MACHINE_MS } from './bounds.ts';

const HOUR_MS = 3_600_000;
const STEPS = 4;
const STEP_MS = 600;

export const shiftWorkerClocks: Fault = {
  name: 'shift-worker-clocks',
  what: 'the wall clocks of all workers and producers jump by up to an hour, each its own way, several times',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
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

const SERVER_SHIFT_MS = 60_000;
/** For a server to notice its new time, and for everybody to live by it. */
const NOTICE_MS = 1_800;

export const shiftServerClock: Fault = {
  name: 'shift-server-clock',
  what: 'the wall clock of every Redis jumps by a minute, back or forth, and returns',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  // What expires by that clock may do so a minute late.
  resumeBoundMs: DETECTION_MS + SERVER_SHIFT_MS,
  redelivery: 'window',
  async run(stage) {
    const { clock } = stage.servers;
    await stage.inject(null, async () => {
      try {
        await clock.setOffset(stage.random.pick([-1, 1]) * SERVER_SHIFT_MS);
        await stage.load(NOTICE_MS);
      } finally {
        await clock.setOffset(0);
      }
      await stage.load(NOTICE_MS);
    });
  },
};
