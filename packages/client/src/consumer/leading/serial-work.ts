/** One piece of work at a time, in the order it came: a campaign must not run into the middle of a rebalance. */
export class SerialWork {
  readonly #onError: (error: unknown, during: string) => void;
  #tail: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(onError: (error: unknown, during: string) => void) {
    this.#onError = onError;
  }

  start(): void {
    this.#isStopped = false;
  }

  add(during: string, work: () => Promise<void>): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#isStopped) return;
      try {
        await work();
      } catch (error) {
        this.#onError(error, during);
      }
    });
  }

  /** What has not begun never will; resolves when what has begun is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#tail;
  }
}
