/**
 * Time that passes only when a test says so. It has the shape of `Clock` in `@millrace/core`; that interface is not
 * imported, so that whoever tests their own handlers with this package does not get the rules of the product with it.
 */

interface VirtualTimer {
  readonly dueMs: number;
  readonly run: () => void;
}

/**
 * A clock that stands still between two calls of `advance`. It starts at 2023-11-14, with the monotonic clock at
 * another origin, as real ones are: code that mixes the two up fails at once.
 */
export class VirtualClock {
  #wallMs = 1_700_000_000_000;
  #monotonicMs = 50_000;
  /** In the order in which they were started: the older of two that are due together runs first. */
  readonly #timers = new Set<VirtualTimer>();

  /** Milliseconds since 1970. */
  nowMs(): number {
    return this.#wallMs;
  }

  /** Milliseconds that never go back. */
  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Timers that are neither due nor cancelled: a test of clean-up expects 0. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Runs only inside of `advance`, also when `delayMs` is 0. */
  startTimer(delayMs: number, run: () => void): { cancel(): void } {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** No time passes in it, so it needs no `advance`. */
  nextTurn(): Promise<void> {
    return settle();
  }

  /**
   * Lets `ms` pass. Timers run in the order in which they are due, each at its own time and each after everything that
   * the one before set off has settled, as far as that waits for promises and not for I/O. `advance(0)` runs what is
   * due now.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settle();
    for (let timer = this.#nextUntil(endMs); timer !== undefined; timer = this.#nextUntil(endMs)) {
      this.#timers.delete(timer);
      this.#passUntil(timer.dueMs);
      timer.run();
      await settle();
    }
    this.#passUntil(endMs);
  }

  /** Moves the wall clock alone, as an administrator or NTP does; `ms` may be negative. */
  shiftWallClock(ms: number): void {
    this.#wallMs += ms;
  }

  #nextUntil(endMs: number): VirtualTimer | undefined {
    let next: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }

  #passUntil(untilMs: number): void {
    this.#wallMs += untilMs - this.#monotonicMs;
    this.#monotonicMs = untilMs;
  }
}

/** One turn of the event loop: every promise that can settle without I/O has settled by then. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
