/**
 * How long a consumer's handlers may keep the event loop from turning, all partitions together: a handler that never
 * awaits I/O would otherwise hold up heartbeats, commits and reads. Each partition by itself would keep it for as long
 * again, one after the other.
 */
import type { Clock } from '@millrace/core';

const TURN_MS = 10;

export class Turns {
  readonly #clock: Clock;
  /** Resolves in the next turn; null while nothing was delivered in this one. */
  #next: Promise<void> | null = null;
  #beganMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be asked before each delivery: true when `next` has to be awaited first. */
  isOver(nowMs: number): boolean {
    if (this.#next !== null) return nowMs - this.#beganMs >= TURN_MS;
    this.#beganMs = nowMs;
    this.#next = this.#clock.nextTurn().finally(() => {
      this.#next = null;
    });
    return false;
  }

  /** The next turn of the event loop. */
  next(): Promise<void> {
    return this.#next ?? this.#clock.nextTurn();
  }
}
