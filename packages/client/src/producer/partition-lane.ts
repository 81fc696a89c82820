/**
 * The way of records into one partition: an open batch that collects, sealed ones that wait, and at most one that is
 * being delivered. Natural batching follows from the last, and from the window of the connection: what arrives while a
 * batch is under way, or while the window is full, becomes the next.
 * Batches leave in the order in which they were opened, and nothing overtakes one that is tried again.
 */
import { UnavailableError, type MillraceError, type Timer } from '@millrace/core';
import { BatchEncoder, type BatchBuffers } from '@millrace/redis';
import type { AppendWindow, WindowUser } from './append-window.ts';
import { BatchSender, type SenderContext } from './batch-sender.ts';
import type { EncodedRecord } from './encode-records.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { PendingBatch, type BatchedRecord } from './pending-batch.ts';
import type { ResolvedProducerOptions } from './producer-options.ts';

/** What all lanes of a producer share. */
export interface LaneContext extends SenderContext {
  readonly options: ResolvedProducerOptions;
  readonly memory: MemoryBudget;
  readonly buffers: BatchBuffers;
  /** A newer producer of this name is at work: what has not been sent must not be. */
  isFenced(): boolean;
  /** Calls `lane.release()` at the end of the event loop's turn. */
  releaseSoon(lane: PartitionLane): void;
}

export interface LaneOwner {
  /** Records are still sent, at this monotonic time. */
  batchOpened(nowMs: number): void;
  /** Keyless records move on to another partition. */
  batchSealed(partition: number): void;
  /** Why the partition is unknown; rejects when Redis cannot be asked. */
  explainUnknownPartition(partition: number): Promise<MillraceError>;
  /** The topic has fewer partitions now: it was created anew. */
  isGone(partition: number): boolean;
  /** Puts its records into other lanes. */
  moveAway(batch: PendingBatch): void;
  /** Resolves when everything that is in any lane of the topic now is stored or has failed. */
  lanesDrained(): Promise<void>;
  /** A batch has left the lane. */
  settled(): void;
}

export class PartitionLane implements WindowUser {
  readonly #topic: string;
  readonly #partition: number;
  readonly #context: LaneContext;
  readonly #owner: LaneOwner;
  readonly #sender: BatchSender;
  readonly #encoder: BatchEncoder;

  #open: PendingBatch | null = null;
  /** The open batch waits for nothing but the batch under way, and for room in the window. */
  #isOpenDue = false;
  #waitsFor: AppendWindow | null = null;
  readonly #sealed: PendingBatch[] = [];
  #lingerTimer: Timer | null = null;
  #deadlineTimer: Timer | null = null;

  constructor(topic: string, partition: number, context: LaneContext, owner: LaneOwner) {
    this.#topic = topic;
    this.#partition = partition;
    this.#context = context;
    this.#owner = owner;
    this.#encoder = new BatchEncoder(undefined, context.buffers);
    this.#sender = new BatchSender(topic, partition, context, {
      delivered: (batch, place) => {
        batch.delivered(place);
        this.#giveBack(batch);
        this.#settled(batch);
      },
      failed: (batch, error) => {
        if (error.code === 'UNKNOWN_PARTITION' && owner.isGone(partition)) this.#moveAll(batch, error);
        else this.#fail(batch, error);
      },
      explainUnknownPartition: () => owner.explainUnknownPartition(partition),
    });
  }

  /** Throws what the encoder throws for a record that fits no batch; then a batch that was full may have been closed. */
  add(record: EncodedRecord, delivery: BatchedRecord): void {
    if (this.addUnlessFull(record, delivery) || this.addUnlessFull(record, delivery)) return;
    throw new RangeError('an empty batch has refused its first record');
  }

  /**
   * False when the open batch had no room for it: it is closed now, and the next one not yet begun. Throws what the encoder
   * throws for a record that fits no batch; then nothing has changed.
   */
  addUnlessFull(record: EncodedRecord, delivery: BatchedRecord): boolean {
    const { maxBatchBytes, maxBatchRecords } = this.#context.options;
    const before = this.#encoder.byteLength;
    const isAdded =
      this.#encoder.recordCount < maxBatchRecords && this.#encoder.append(record, maxBatchBytes);
    if (isAdded) {
      const batch = this.#open ?? this.#openBatch();
      const bytes = this.#encoder.byteLength - before;
      batch.bufferedBytes += bytes;
      if (record.partition !== undefined) batch.isBound = true;
      this.#context.memory.take(bytes);
      delivery.added(batch, this.#encoder.recordCount - 1);
    } else {
      this.#seal();
    }
    if (this.#sealed.length > 0) this.#deliverNext();
    return isAdded;
  }

  /** The open batch has waited for company long enough. */
  release(): void {
    this.#isOpenDue = true;
    this.#deliverNext();
  }

  admitted(): void {
    this.#waitsFor = null;
    this.#deliverOldest();
  }

  /** The oldest batch takes no more records. */
  get isFull(): boolean {
    return this.#sealed.length > 0;
  }

  /** Nothing is in it. */
  get isIdle(): boolean {
    return this.#open === null && this.#sealed.length === 0 && this.#sender.batch === null;
  }

  /** Sends what lingers. Resolves when everything that is in the lane now is stored or has failed. */
  drained(): Promise<void> {
    const last = this.#open ?? this.#sealed.at(-1) ?? this.#sender.batch;
    if (last === null) return Promise.resolve();
    return new Promise((resolve) => {
      last.receipts.push({
        delivered: () => resolve(),
        failed: () => resolve(),
        moved: () => void this.#owner.lanesDrained().then(resolve),
      });
      this.release();
    });
  }

  /** The connection is back. */
  retryNow(): void {
    this.#sender.retryNow();
  }

  /** Gives everything up. */
  failAll(error: MillraceError): void {
    this.#seal();
    const current = this.#sender.batch;
    const batches = current === null ? this.#sealed.splice(0) : [current, ...this.#sealed.splice(0)];
    this.#sender.abandon();
    for (const batch of batches) this.#fail(batch, error);
    this.stopTimers();
  }

  stopTimers(): void {
    this.#lingerTimer?.cancel();
    this.#deadlineTimer?.cancel();
    this.#lingerTimer = this.#deadlineTimer = null;
  }

  #openBatch(): PendingBatch {
    const { clock, options } = this.#context;
    const nowMs = clock.monotonicMs();
    const batch = new PendingBatch(nowMs);
    this.#open = batch;
    this.#owner.batchOpened(nowMs);
    this.#isOpenDue = false;
    if (options.lingerMs > 0) this.#lingerTimer = clock.startTimer(options.lingerMs, () => this.release());
    else if (this.#sender.batch === null && this.#waitsFor === null) this.#context.releaseSoon(this);
    else this.#isOpenDue = true;
    this.#startDeadline(nowMs);
    return batch;
  }

  #seal(): void {
    const batch = this.#open;
    if (batch === null) return;
    batch.recordCount = this.#encoder.recordCount;
    batch.bytes = this.#encoder.finish(this.#context.options);
    this.#sealed.push(batch);
    this.#open = null;
    this.#isOpenDue = false;
    this.#lingerTimer?.cancel();
    this.#lingerTimer = null;
    this.#owner.batchSealed(this.#partition);
  }

  #deliverNext(): void {
    if (this.#sender.batch !== null) return;
    if (this.#waitsFor !== null) {
      if (this.isFull) this.#waitsFor.reconsider();
      return;
    }
    const oldest = this.#sealed[0] ?? (this.#isOpenDue ? this.#open : null);
    if (oldest === null) return;
    const window = this.#context.log.windowOf(this.#topic, this.#partition);
    if (window === null || window.hasRoomFor(this)) {
      this.#deliverOldest();
      return;
    }
    this.#waitsFor = window;
    window.wait(oldest.createdMs, this);
  }

  #deliverOldest(): void {
    // While one lane after the other gives everything up, the window admits those whose turn has not come yet.
    if (this.#sender.batch !== null || this.#context.isFenced()) return;
    if (this.#sealed.length === 0 && this.#isOpenDue) this.#seal();
    const next = this.#sealed.shift();
    if (next !== undefined) this.#sender.deliver(next);
  }

  /** All at once and in order, so that records of one key stay in order in the lane to which they go. */
  #moveAll(first: PendingBatch, error: MillraceError): void {
    this.#seal();
    let bytes = 0;
    for (const batch of [first, ...this.#sealed.splice(0)]) {
      if (batch.isBound) batch.failed(error);
      else this.#owner.moveAway(batch);
      bytes += batch.bufferedBytes;
    }
    this.stopTimers();
    // Only now: who waits for room is let in at once, and would overtake what has not been moved yet.
    this.#context.memory.give(bytes);
    this.#owner.settled();
  }

  #fail(batch: PendingBatch, error: MillraceError): void {
    batch.failed(error);
    this.#settled(batch);
  }

  /** An answer says that the connection has read the bytes. An earlier try, on one that broke, may not have been. */
  #giveBack(batch: PendingBatch): void {
    if (batch.attempts !== 1 || batch.bytes === null) return;
    this.#context.buffers.give(batch.bytes);
    batch.bytes = null;
  }

  #settled(batch: PendingBatch): void {
    this.#context.memory.give(batch.bufferedBytes);
    this.#deliverNext();
    this.#owner.settled();
  }

  #onDeadline(): void {
    this.#deadlineTimer = null;
    // All of them first: a batch that fails makes way for the next, which must not be sent if it is late as well.
    const late: PendingBatch[] = [];
    const current = this.#sender.batch;
    if (current !== null && this.#isLate(current)) {
      this.#sender.abandon();
      late.push(current);
    }
    if (this.#open !== null && this.#isLate(this.#open)) this.#seal();
    while (this.#sealed[0] !== undefined && this.#isLate(this.#sealed[0]))
      late.push(...this.#sealed.splice(0, 1));
    // What has waited behind a batch has waited for the same.
    const reason = current?.lastError ?? null;
    for (const batch of late) this.#fail(batch, this.#timedOut(batch, batch.lastError ?? reason));
    this.#startDeadline(this.#context.clock.monotonicMs());
  }

  /** For the oldest batch. One timer serves many: when it fires it looks at what is there. */
  #startDeadline(nowMs: number): void {
    const oldest = this.#sender.batch ?? this.#sealed[0] ?? this.#open;
    if (oldest === null || this.#deadlineTimer !== null) return;
    const { clock, options } = this.#context;
    const remainingMs = oldest.createdMs + options.deliveryTimeoutMs - nowMs;
    this.#deadlineTimer = clock.startTimer(Math.max(remainingMs, 1), () => this.#onDeadline());
  }

  #isLate(batch: PendingBatch): boolean {
    const { clock, options } = this.#context;
    return clock.monotonicMs() - batch.createdMs >= options.deliveryTimeoutMs;
  }

  #timedOut(batch: PendingBatch, lastError: MillraceError | null): UnavailableError {
    const { recordCount: records } = batch;
    const isUnknown = batch.mayBeWritten || batch.isInFlight;
    const outcome = isUnknown ? 'they may have been stored' : 'they were not stored';
    const reason = lastError === null ? 'no reply' : lastError.message;
    // Waited for and found on too few servers, or without room: other cases than no answer at all.
    const code =
      lastError?.code === 'NOT_REPLICATED' ||
      lastError?.code === 'NOT_FSYNCED' ||
      lastError?.code === 'TOPIC_FULL'
        ? lastError.code
        : 'DELIVERY_TIMED_OUT';
    return new UnavailableError(
      code,
      `${this.#topic}/${this.#partition}: ${records} records fail together, as the first of them was not acknowledged within ` +
        `${this.#context.options.deliveryTimeoutMs} ms; ${outcome} (${reason})`,
      {
        cause: lastError ?? undefined,
        details: {
          ...(code === 'DELIVERY_TIMED_OUT' ? {} : lastError?.details),
          topic: this.#topic,
          partition: this.#partition,
          records,
          outcome: isUnknown ? 'unknown' : 'not-written',
        },
      },
    );
  }
}
