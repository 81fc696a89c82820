/**
 * Back-pressure by bytes. The budget is checked before a record is encoded and charged after, so it is exceeded by at
 * most one record: a record larger than the whole budget still gets through, and no size is computed twice.
 */
import type { Clock, Timer } from '@millrace/core';

/**
 * Those who wait are let in once a part of the whole is free. Each batch of 40 KiB that is stored would otherwise let in
 * one record for each of 200 partitions, whose batches have left the processor's cache since their last record.
 */
const REFILL_PARTS = 32;
/**
 * Or so long after something was given back: of what is in use a partition that takes nothing may hold so much that the
 * part is never free, though all that the others sent is stored.
 */
const REFILL_MS = 20;

export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #clock: Pick<Clock, 'startTimer'>;
  /** With more in use, nobody who waits is let in at once. */
  readonly #refillBytes: number;
  #refillTimer: Timer | null = null;
  #usedBytes = 0;
  /** Who found no room, longest wait first. */
  #waiting: (() => void)[] = [];

  constructor(maxBytes: number, clock: Pick<Clock, 'startTimer'>) {
    this.#maxBytes = maxBytes;
    this.#clock = clock;
    this.#refillBytes = maxBytes - maxBytes / REFILL_PARTS;
  }

  /** False while others wait, too: who comes later must not overtake them. */
  get hasRoom(): boolean {
    return this.#usedBytes < this.#maxBytes && this.#waiting.length === 0;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get freeBytes(): number {
    return this.#maxBytes - this.#usedBytes;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.#waiting.length === 0) return;
    if (this.#usedBytes <= this.#refillBytes) this.#admit();
    else if (this.#usedBytes < this.#maxBytes)
      this.#refillTimer ??= this.#clock.startTimer(REFILL_MS, () => this.#admit());
  }

  /** Calls `retry` once, when some room is free, or a little of it has been for a while. */
  whenRoom(retry: () => void): void {
    this.#waiting.push(retry);
  }

  #admit(): void {
    this.#refillTimer?.cancel();
    this.#refillTimer = null;
    while (this.#usedBytes < this.#maxBytes) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      // The waiter sees `hasRoom` as if it were first in line, which it is; those behind it keep their places.
      const behind = this.#waiting;
      this.#waiting = [];
      next();
      this.#waiting = [...behind, ...this.#waiting];
    }
  }
}
