/**
 * "Something changed, look again": waiters are woken, none is queued twice, and a change between two waits is not
 * lost. The loops of lanes, fetcher and reconciler wait on one of these instead of on timers.
 */
export class ChangeSignal {
  #isSet = false;
  #resolve: (() => void) | null = null;

  notify(): void {
    this.#isSet = true;
    this.#resolve?.();
    this.#resolve = null;
  }

  /** One waiter at a time. */
  async wait(): Promise<void> {
    if (!this.#isSet) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#isSet = false;
  }
}
