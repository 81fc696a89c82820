/** Bounds how many partitions are worked on at a time (`partitionsConsumedConcurrently`). First come, first served. */
export class Slots {
  #free: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiter>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Null when a slot was free: the hot path awaits nothing. */
  take(): Turn | null {
    if (this.#free > 0) {
      this.#free--;
      return null;
    }
    const { promise: come, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.add(resolve);
    const leave = (): void => {
      // Not there any more: its turn has come, and the slot has to be given back.
      if (this.#waiting.delete(resolve)) resolve(false);
    };
    return { come, leave };
  }

  giveBack(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next(true);
      return;
    }
    this.#free++;
  }
}

type Waiter = (hasSlot: boolean) => void;

export interface Turn {
  /** True with a slot, false after `leave`. */
  readonly come: Promise<boolean>;
  /** Waits no longer. */
  leave(): void;
}
