/**
 * `for await (const record of consumer)`: one record at a time, at the loop's own pace. Asking for the next record says
 * that the one before is processed; leaving the loop (break, return, throw) does not, because nobody can tell a
 * finished body from a failed one. The record it was left with is delivered again: at least once.
 */
import type { ConsumerRecord } from './consumer-record.ts';
import type { EachRecord } from './handlers.ts';

interface Offer<V> {
  readonly delivery: EachRecord<V>;
  readonly done: () => void;
  readonly withdraw: () => void;
}

/** Ends a handler call for a record that the loop has not taken, or not acknowledged. No failure of anybody. */
export class NotTaken extends Error {
  constructor() {
    super('the record was not taken by the loop');
    this.name = 'NotTaken';
  }
}

export interface IteratorPort<V> {
  start(handler: (delivery: EachRecord<V>) => Promise<void>): Promise<void>;
  stop(): Promise<void>;
  /** Calls `interrupt` when the partition has to be given up, is paused or sought; null ends that. */
  onInterrupt(delivery: EachRecord<V>, interrupt: (() => void) | null): void;
}

export class RecordIterator<V> implements AsyncIterableIterator<ConsumerRecord<V>> {
  readonly #port: IteratorPort<V>;
  readonly #offers = new Set<Offer<V>>();
  #taken: Offer<V> | null = null;
  #waiting: ((result: IteratorResult<ConsumerRecord<V>>) => void) | null = null;
  #isStarted = false;
  #isEnded = false;

  constructor(port: IteratorPort<V>) {
    this.#port = port;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<ConsumerRecord<V>>> {
    this.#taken?.done();
    this.#taken = null;
    if (!this.#isStarted) {
      this.#isStarted = true;
      await this.#port.start((delivery) => this.#offer(delivery));
    }
    if (this.#isEnded) return { done: true, value: undefined };
    for (const offer of this.#offers) return this.#take(offer);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  async return(): Promise<IteratorResult<ConsumerRecord<V>>> {
    this.end();
    this.#taken?.withdraw();
    this.#taken = null;
    await this.#port.stop();
    return { done: true, value: undefined };
  }

  /**
   * The consumer is closing, or the loop was left. The record that the loop's body works on stays with it: asking for
   * the next one still says that it is processed, as a handler's return does.
   */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const offer of this.#offers) offer.withdraw();
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = null;
  }

  #take(offer: Offer<V>): IteratorResult<ConsumerRecord<V>> {
    this.#offers.delete(offer);
    // From here on the loop's body is at work: a drain waits for it as it does for any handler.
    this.#port.onInterrupt(offer.delivery, null);
    this.#taken = offer;
    return { done: false, value: offer.delivery.record };
  }

  #offer(delivery: EachRecord<V>): Promise<void> {
    return new Promise((resolve, reject) => {
      const offer: Offer<V> = {
        delivery,
        done: resolve,
        withdraw: () => {
          this.#offers.delete(offer);
          this.#port.onInterrupt(delivery, null);
          reject(new NotTaken());
        },
      };
      if (this.#isEnded) {
        offer.withdraw();
        return;
      }
      this.#offers.add(offer);
      this.#port.onInterrupt(delivery, offer.withdraw);
      const waiting = this.#waiting;
      if (waiting === null) return;
      this.#waiting = null;
      waiting(this.#take(offer));
    });
  }
}
