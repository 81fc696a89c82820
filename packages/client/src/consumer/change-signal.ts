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

  /** One waiter at a time. Not an async function: that would make each record wait for one more promise. */
  wait(): Promise<void> {
    if (this.#isSet) {
      this.#isSet = false;
      return Promise.resolve();
    }
    const changed = new Promise<void>(this.#keep);
    // Before the waiter: what changes once it runs is for its next wait.
    void changed.then(this.#clear);
    return changed;
  }

  readonly #keep = (resolve: () => void): void => {
    this.#resolve = resolve;
  };

  readonly #clear = (): void => {
    this.#isSet = false;
  };
}
