/**
 * Finds partitions that have records waiting and do not move: a handler that hangs, a member that is alive and does
 * nothing. Looks at a few partitions at a time, in turn, so that the cost does not grow with their number.
 */
import type { PartitionKey, Progress } from '@millrace/core';

interface Standstill {
  readonly committed: number;
  readonly sinceMs: number;
  readonly isReported: boolean;
}

export interface Stall {
  readonly partition: PartitionKey;
  readonly committed: number;
  readonly logEnd: number;
  readonly forMs: number;
}

export class ProgressAudit {
  readonly #stallMs: number;
  readonly #standstills = new Map<PartitionKey, Standstill>();
  #turn = 0;

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** The next `count` partitions to look at. */
  next(partitions: readonly PartitionKey[], count: number): PartitionKey[] {
    if (partitions.length === 0) return [];
    const first = this.#turn % partitions.length;
    this.#turn = first + Math.min(count, partitions.length);
    return [
      ...partitions.slice(first, first + count),
      ...partitions.slice(0, Math.max(0, first + count - partitions.length)),
    ].slice(0, Math.min(count, partitions.length));
  }

  /** Notes one look; answers a stall the first time that it is one. `nowMs` is monotonic. */
  note(partition: PartitionKey, progress: Progress | null, nowMs: number): Stall | null {
    const before = this.#standstills.get(partition);
    if (progress === null || progress.committed >= progress.logEnd) {
      this.#standstills.delete(partition);
      return null;
    }
    const { committed, logEnd } = progress;
    if (before === undefined || before.committed !== committed) {
      this.#standstills.set(partition, { committed, sinceMs: nowMs, isReported: false });
      return null;
    }
    const forMs = nowMs - before.sinceMs;
    if (before.isReported || forMs < this.#stallMs) return null;
    this.#standstills.set(partition, { ...before, isReported: true });
    return { partition, committed, logEnd, forMs };
  }
}
