/**
 * The promise behind one `send` or `sendBatch`. A call's records may end up in several batches; `sendBatch` keeps one
 * object per batch and none per record.
 */
import { errorFromCode, type MillraceError } from '@millrace/core';
import type { BatchedRecord, BatchPlace, PendingBatch, Receipt } from './pending-batch.ts';
import type { BatchMetadata, RecordMetadata } from './producer.ts';

export interface Delivery extends BatchedRecord {
  /** All records of the call are in batches. */
  complete(): void;
  /** The remaining records of the call are not going to be sent. */
  abandoned(error: MillraceError): void;
}

export class RecordDelivery implements Delivery, Receipt {
  readonly #resolve: (metadata: RecordMetadata) => void;
  readonly #reject: (error: MillraceError) => void;
  #index = 0;

  constructor(resolve: (metadata: RecordMetadata) => void, reject: (error: MillraceError) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  added(batch: PendingBatch, index: number): void {
    this.#index = index;
    batch.receipts.push(this);
  }

  moved(next: (owner: BatchedRecord) => void): void {
    next(this);
  }

  complete(): void {}

  abandoned(error: MillraceError): void {
    this.#reject(error);
  }

  delivered({ topic, partition, baseOffset, appendedMs }: BatchPlace): void {
    this.#resolve({ topic, partition, offset: baseOffset + this.#index, appendedMs });
  }

  failed(error: MillraceError): void {
    this.#reject(error);
  }
}

export class BatchDelivery implements Delivery {
  readonly #resolve: (metadata: BatchMetadata[]) => void;
  readonly #reject: (error: MillraceError) => void;
  readonly #recordCount: number;
  readonly #stored: BatchMetadata[] = [];
  /** Ranges that are not settled, and one for the call itself until all its records are in batches. */
  #open = 1;
  #firstError: MillraceError | null = null;

  constructor(
    recordCount: number,
    resolve: (metadata: BatchMetadata[]) => void,
    reject: (error: MillraceError) => void,
  ) {
    this.#recordCount = recordCount;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  added(batch: PendingBatch, index: number): void {
    const last = batch.receipts.at(-1);
    if (last instanceof RangeReceipt && last.isPartOf(this)) {
      last.extend();
      return;
    }
    this.#open++;
    batch.receipts.push(new RangeReceipt(this, index));
  }

  complete(): void {
    this.#settleOne();
  }

  abandoned(error: MillraceError): void {
    this.#firstError ??= error;
    this.#settleOne();
  }

  rangeDelivered(place: BatchPlace, firstIndex: number, count: number): void {
    const { topic, partition, appendedMs } = place;
    this.#stored.push({ topic, partition, baseOffset: place.baseOffset + firstIndex, count, appendedMs });
    this.#settleOne();
  }

  /** Its records have become parts of other ranges. */
  rangeMoved(): void {
    this.#settleOne();
  }

  rangeFailed(error: MillraceError): void {
    this.#firstError ??= error;
    this.#settleOne();
  }

  #settleOne(): void {
    if (--this.#open > 0) return;
    if (this.#firstError === null) this.#resolve(this.#stored.sort(byPlace));
    else this.#reject(this.#summary(this.#firstError));
  }

  #summary(error: MillraceError): MillraceError {
    const delivered = this.#stored.reduce((sum, { count }) => sum + count, 0);
    if (delivered === 0) return error;
    return errorFromCode(
      error.code,
      `${delivered} of the ${this.#recordCount} records of this sendBatch were stored, others were not: ${error.message}`,
      { cause: error, details: { ...error.details, delivered, records: this.#recordCount } },
    );
  }
}

/** Neighbouring records of one call in one batch. */
class RangeReceipt implements Receipt {
  readonly #delivery: BatchDelivery;
  readonly #firstIndex: number;
  #count = 1;

  constructor(delivery: BatchDelivery, firstIndex: number) {
    this.#delivery = delivery;
    this.#firstIndex = firstIndex;
  }

  isPartOf(delivery: BatchDelivery): boolean {
    return this.#delivery === delivery;
  }

  extend(): void {
    this.#count++;
  }

  delivered(place: BatchPlace): void {
    this.#delivery.rangeDelivered(place, this.#firstIndex, this.#count);
  }

  moved(next: (owner: BatchedRecord) => void): void {
    for (let record = 0; record < this.#count; record++) next(this.#delivery);
    this.#delivery.rangeMoved();
  }

  failed(error: MillraceError): void {
    this.#delivery.rangeFailed(error);
  }
}

function byPlace(a: BatchMetadata, b: BatchMetadata): number {
  return a.partition - b.partition || a.baseOffset - b.baseOffset;
}
