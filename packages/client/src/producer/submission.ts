/** The records of one call on their way into the lanes. */
import type { MillraceError } from '@millrace/core';
import type { Delivery } from './delivery.ts';
import type { EncodedRecord } from './encode-records.ts';

export class Submission {
  readonly delivery: Delivery;
  /** null while an asynchronous validator is at work. */
  records: readonly EncodedRecord[] | null;
  /** Index of the first record that is in no batch yet. */
  next: number;
  /** Monotonic times: of the call, and since when it has not moved. */
  readonly submittedMs: number;
  blockedSinceMs: number;
  #isOver = false;
  readonly #whenOver: (() => void)[] = [];

  constructor(delivery: Delivery, records: readonly EncodedRecord[] | null, nowMs: number, next = 0) {
    this.delivery = delivery;
    this.records = records;
    this.next = next;
    this.submittedMs = this.blockedSinceMs = nowMs;
  }

  /** All records are in batches, or the rest was given up. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The highest partition that a record names, -1 for none. */
  get highestPartition(): number {
    return this.records?.reduce((highest, { partition = -1 }) => Math.max(highest, partition), -1) ?? -1;
  }

  complete(): void {
    if (this.#finish()) this.delivery.complete();
  }

  abandon(error: MillraceError): void {
    if (this.#finish()) this.delivery.abandoned(error);
  }

  whenOver(run: () => void): void {
    if (this.#isOver) run();
    else this.#whenOver.push(run);
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    for (const run of this.#whenOver.splice(0)) run();
    return true;
  }
}
