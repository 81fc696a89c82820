/** One batch on its way into a partition, and who waits for it. */
import type { MillraceError } from '@millrace/core';

/** Where a batch was stored. */
export interface BatchPlace {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly appendedMs: number;
}

/** The next record of a call is record `index` of `batch`. */
export interface BatchedRecord {
  added(batch: PendingBatch, index: number): void;
}

/** Told once what became of the batch. */
export interface Receipt {
  delivered(place: BatchPlace): void;
  failed(error: MillraceError): void;
  /** Its records go into other batches: calls `next` for each of them, in order, with who wants to know where. */
  moved(next: (owner: BatchedRecord) => void): void;
}

export class PendingBatch {
  /** Monotonic time of its first record: the delivery timeout counts from here. */
  readonly createdMs: number;
  readonly receipts: Receipt[] = [];
  /** Charged to the memory budget until the batch is settled. */
  bufferedBytes = 0;
  recordCount = 0;
  /** Somebody named the partition of one of its records: they can go nowhere else. */
  isBound = false;
  /** Set when the batch is sealed; the same bytes are sent again after a lost reply. */
  bytes: Buffer | null = null;
  /** Appends that were tried. */
  attempts = 0;
  /** The reply to an append is due. */
  isInFlight = false;
  /** An append was sent whose outcome nobody knows. */
  mayBeWritten = false;
  lastError: MillraceError | null = null;

  constructor(createdMs: number) {
    this.createdMs = createdMs;
  }

  delivered(place: BatchPlace): void {
    for (const receipt of this.receipts) receipt.delivered(place);
  }

  moved(next: (owner: BatchedRecord) => void): void {
    for (const receipt of this.receipts) receipt.moved(next);
  }

  failed(error: MillraceError): void {
    for (const receipt of this.receipts) receipt.failed(error);
  }
}
