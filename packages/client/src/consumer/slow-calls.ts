/** Finds handler calls that do not come back. Each is reported once; the partition waits, because order demands it. */
import { HandlerError } from '@millrace/core';
import type { Lane } from './lane.ts';

export class SlowCalls {
  readonly #timeoutMs: number;
  readonly #reported = new WeakMap<Lane, number>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** `startedMs`: when the call under way in that lane began (monotonic), null when there is none. */
  look(lane: Lane, startedMs: number | null, nowMs: number): HandlerError | null {
    if (startedMs === null || nowMs - startedMs < this.#timeoutMs || this.#reported.get(lane) === startedMs)
      return null;
    this.#reported.set(lane, startedMs);
    return new HandlerError(
      'HANDLER_TIMED_OUT',
      `the handler has not returned for ${Math.round(nowMs - startedMs)} ms at ${lane.key} offset ${lane.position}: ` +
        'the partition waits for it, others go on',
      { details: { topic: lane.topic, partition: lane.partition, offset: lane.position } },
    );
  }
}
