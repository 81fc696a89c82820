/**
 * Calls that wait, first in, first out. An array that is shifted moves all that follow: with 40,000 sends that wait for the
 * number of partitions, or for room in memory, that kept the event loop for seconds.
 */
import type { Submission } from './submission.ts';

/** So many that have left stay in the array before it is cut: less often than each time, and never more than wait. */
const LEAST_GONE = 1_024;

export class SubmissionQueue implements Iterable<Submission> {
  #items: (Submission | undefined)[] = [];
  /** Place of the first one that waits. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): Submission | undefined {
    return this.#items[this.#head];
  }

  get last(): Submission | undefined {
    return this.length === 0 ? undefined : this.#items.at(-1);
  }

  push(submission: Submission): void {
    this.#items.push(submission);
  }

  removeFirst(): void {
    if (this.length === 0) return;
    // Its records are not kept for as long as its place is.
    this.#items[this.#head++] = undefined;
    if (this.#head < LEAST_GONE && this.#head < this.#items.length) return;
    if (this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  /** All of them; afterwards it is empty. */
  takeAll(): Submission[] {
    const all = [...this];
    this.#items = [];
    this.#head = 0;
    return all;
  }

  *[Symbol.iterator](): Generator<Submission> {
    for (let place = this.#head; place < this.#items.length; place++) {
      const submission = this.#items[place];
      if (submission !== undefined) yield submission;
    }
  }
}
