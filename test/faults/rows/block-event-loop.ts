import { TOPOLOGIES, type Fault } from '../fault.ts';
import { EVENT_LOOP_TIMEOUT_MS } from '../load.ts';
import { DETECTION_MS, LOSES_NOTHING } from './bounds.ts';

export const blockEventLoop: Fault = {
  name: 'block-event-loop',
  what: 'a handler blocks the event loop of a worker for longer than `eventLoopTimeoutMs`',
  kind: 'process',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  // The lease is renewed by another thread: it begins to run out when that one gives up.
  resumeBoundMs: EVENT_LOOP_TIMEOUT_MS + DETECTION_MS,
  redelivery: 'window',
  async run(stage) {
    const victim = stage.anyWorker();
    const blockedMs = EVENT_LOOP_TIMEOUT_MS + stage.random.between(500, 2_000);
    await stage.inject(victim.proc, async () => {
      await victim.process.send({ type: 'block', ms: blockedMs });
      await stage.load(blockedMs);
      await victim.ask();
    });
  },
};
