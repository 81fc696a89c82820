/**
 * Ends a run in which nothing moves. Whatever the run waits for goes through `guard`; as long as somebody calls
 * `progress` with something new, it may wait.
 */

/** Nothing has moved for too long; the message says what the run was waiting for and how things stood. */
export class StalledError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StalledError';
  }
}

export class StallDetector implements Disposable {
  readonly #limitMs: number;
  readonly #describe: () => string;
  readonly #stalled = Promise.withResolvers<never>();
  #timer: NodeJS.Timeout | undefined;
  #seen = '';
  #isStalled = false;

  /** `describe` is asked when it has come to a stall. */
  constructor(limitMs: number, describe: () => string) {
    this.#limitMs = limitMs;
    this.#describe = describe;
    this.#stalled.promise.catch(() => {});
    this.#arm();
  }

  /** Any change of the text is progress. */
  progress(seen: string): void {
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#arm();
  }

  /** Settles like `work`, or rejects with `StalledError`, whichever is first. */
  async guard<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#stalled.promise]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#isStalled) return;
    this.#timer = setTimeout(() => {
      this.#isStalled = true;
      const seconds = Math.round(this.#limitMs / 1000);
      this.#stalled.reject(new StalledError(`nothing has moved for ${seconds} seconds: ${this.#describe()}`));
    }, this.#limitMs);
  }
}
