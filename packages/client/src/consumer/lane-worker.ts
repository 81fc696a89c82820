/**
 * Delivers one lane's records to the user's handler, strictly in order, one call at a time. The loop ends when the
 * lane's phase leaves `running` and the call under way has settled.
 *
 * The loop over records is the hot path of every consumer: for a record it makes the record and what the handler is
 * given, reads the clock once, and awaits nothing but the handler's own promise. Whatever is out of the ordinary (a
 * lease in doubt, a failure, at most once) leaves it for `#callWithRetry`.
 */
import { HandlerError, MillraceError, type Clock, type LeaseHealth, type StoredBatch } from '@millrace/core';
import { baseOffsetOf, openBatch, recordCount } from '@millrace/redis';
import { delay } from '../clock/delay.ts';
import { batchDelivery } from './batch-delivery.ts';
import { ConsumerRecord, UNREAD, type DeliveredBatch } from './consumer-record.ts';
import type { EachBatchHandler, EachRecordHandler, Handlers } from './handlers.ts';
import type { Lane } from './lane.ts';
import type { RecordDecoder, RecordDecoders } from './record-decoder.ts';
import { NotTaken } from './record-iterator.ts';
import type { Slots } from './slots.ts';
import type { Turns } from './turns.ts';

export interface RetrySettings {
  /** Calls of the handler for one record before its partition is halted; unlimited by default. */
  readonly maxAttempts: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
}

export interface WorkerSettings {
  readonly commitMode: 'at-least-once' | 'at-most-once';
  readonly maxBatchRecords: number;
  readonly retry: RetrySettings;
}

export interface WorkerPort<V> {
  readonly clock: Clock;
  readonly slots: Slots;
  /** Shared by all lanes of the consumer. */
  readonly turns: Turns;
  readonly handlers: Handlers<V>;
  readonly decoders: RecordDecoders<V>;
  /** At `nowMs` of the monotonic clock. */
  leaseHealth(nowMs: number): LeaseHealth;
  onError(error: MillraceError): void;
  pause(lane: Lane): () => void;
}

type Outcome = 'done' | 'interrupted';

/** What a handler threw. */
interface Failure {
  readonly error: unknown;
}

const LEASE_CHECK_MS = 50;

export class LaneWorker<V> {
  /** When the handler call under way began; null between calls. */
  callStartedMs: number | null = null;
  readonly settled: Promise<void>;

  readonly #lane: Lane;
  readonly #port: WorkerPort<V>;
  readonly #settings: WorkerSettings;
  readonly #isOnce: boolean;
  readonly #decode: RecordDecoder<V> | null;
  /** One for all deliveries of this ownership. */
  readonly #pause: () => () => void;

  constructor(lane: Lane, port: WorkerPort<V>, settings: WorkerSettings) {
    this.#lane = lane;
    this.#port = port;
    this.#settings = settings;
    this.#isOnce = settings.commitMode === 'at-most-once';
    this.#decode = port.decoders(lane.topic);
    this.#pause = () => port.pause(lane);
    this.settled = this.#run();
  }

  async #run(): Promise<void> {
    const lane = this.#lane;
    const { clock, turns } = this.#port;
    while (lane.phase === 'running') {
      if (!lane.mayDeliver || lane.head === undefined) {
        await lane.changed.wait();
        continue;
      }
      const slot = this.#takeSlot();
      if (slot !== true && !(await slot)) continue;
      const { version } = lane;
      try {
        if (turns.isOver(clock.monotonicMs())) await turns.next();
        if (!lane.mayDeliver || lane.head === undefined) continue;
        const { eachRecord, eachBatch } = this.#port.handlers;
        if (eachRecord !== undefined) await this.#deliverRecords(lane.head, eachRecord);
        else await this.#deliverBatch(eachBatch);
      } catch (error) {
        // Not the user's handler, whose errors are dealt with where it is called: what is stored cannot be read. Unless it
        // was sought away from while an asynchronous schema looked at it.
        if (!this.#isVoid(version)) lane.halt(asHalt(error, lane, lane.position));
      } finally {
        this.#port.slots.giveBack();
      }
    }
  }

  /** False when the lane has to stop or to look again first: it must not wait for handlers of other partitions. */
  #takeSlot(): true | Promise<boolean> {
    const turn = this.#port.slots.take();
    if (turn === null) return true;
    this.#lane.onInterrupt = () => turn.leave();
    return turn.come.finally(() => {
      this.#lane.onInterrupt = null;
    });
  }

  async #deliverRecords(batch: StoredBatch, handler: EachRecordHandler<V>): Promise<void> {
    const lane = this.#lane;
    const { clock, turns } = this.#port;
    const { topic, partition, epoch, signal, version } = lane;
    const opened = this.#open(batch);
    const { records } = opened;
    const behind = records.baseOffset + records.recordCount;
    let next = records.baseOffset;
    for (let place = records.firstPlace; next < behind; place = records.placeAfter(place)) {
      const index = next++ - records.baseOffset;
      if (next <= lane.position) continue;
      const decoded = this.#makeRecord(opened, index, place);
      const record = decoded instanceof Promise ? await decoded : decoded;

      let nowMs = clock.monotonicMs();
      if (turns.isOver(nowMs)) {
        await turns.next();
        nowMs = clock.monotonicMs();
      }
      if (!lane.mayDeliver || lane.version !== version) return;
      const delivery = { topic, partition, record, epoch, signal, pause: this.#pause };
      const isOrdinary = !this.#isOnce && this.#port.leaseHealth(nowMs) === 'held';
      let failure: Failure | null = null;
      if (isOrdinary) {
        this.callStartedMs = nowMs;
        lane.handOut(next);
        try {
          const result = handler(delivery);
          if (result !== undefined) await result;
        } catch (error) {
          failure = { error };
        }
        this.callStartedMs = null;
      }
      if (!isOrdinary || failure !== null) {
        const outcome = await this.#callWithRetry(version, next, () => handler(delivery), failure);
        if (outcome === 'interrupted') return;
      }
      // A seek may have come with the handler's last turn, or just behind it; lost, it was done and does not count here.
      if (this.#isVoid(version)) return;
      lane.processed(next);
    }
    if (lane.version === version && lane.head === batch) lane.shift();
  }

  /** Throws DataError for what cannot be read. */
  #open(batch: StoredBatch): DeliveredBatch {
    const { topic, partition, key } = this.#lane;
    const baseOffset = baseOffsetOf(batch);
    const records = openBatch(batch.bytes, baseOffset, `batch at ${key} offset ${baseOffset}`);
    return { topic, partition, appendedMs: batch.appendedMs, records };
  }

  #makeRecord(
    batch: DeliveredBatch,
    index: number,
    place: number,
  ): ConsumerRecord<V> | Promise<ConsumerRecord<V>> {
    if (this.#decode !== null) return this.#decode(batch, index, place);
    return new ConsumerRecord<V>(batch, index, place, UNREAD);
  }

  async #deliverBatch(handler: EachBatchHandler<V>): Promise<void> {
    const lane = this.#lane;
    const version = lane.version;
    // A call that was interrupted may have resolved whole batches.
    while (lane.head !== undefined && lane.head.nextOffset <= lane.position) lane.shift();
    const records = await this.#collect();
    const last = records.at(-1);
    if (!lane.mayDeliver || lane.version !== version || last === undefined) return;

    const next = last.offset + 1;
    const call = (): Promise<void> | void => {
      const delivery = batchDelivery(lane, records, version, this.#pause);
      return delivery === null ? undefined : handler(delivery);
    };
    const outcome = await this.#callWithRetry(version, next, call, null);
    if (outcome === 'interrupted' || this.#isVoid(version)) return;
    lane.processed(next);
    while (lane.head !== undefined && lane.head.nextOffset <= next) lane.shift();
  }

  /**
   * Records from the position on, of as many buffered batches as fit. The buffer counts what is stored; what was compressed
   * can be a thousand times as large, so that the bytes that are delivered have a bound of their own.
   */
  async #collect(): Promise<ConsumerRecord<V>[]> {
    const lane = this.#lane;
    const records: ConsumerRecord<V>[] = [];
    let bytes = 0;
    for (const batch of lane.buffered) {
      if (records.length > 0 && records.length + recordCount(batch.bytes) > this.#settings.maxBatchRecords)
        break;
      try {
        bytes += await this.#decodeInto(records, batch);
      } catch (error) {
        // What is readable before it is delivered first; the next round comes back here with nothing before it.
        if (records.length === 0) throw error;
        break;
      }
      if (bytes >= lane.maxBufferedBytes) break;
    }
    return records;
  }

  /** Answers how many bytes the whole batch takes. */
  async #decodeInto(records: ConsumerRecord<V>[], batch: StoredBatch): Promise<number> {
    const lane = this.#lane;
    const opened = this.#open(batch);
    const { baseOffset, recordCount: count, firstPlace } = opened.records;
    let place = firstPlace;
    for (let index = 0; index < count; index++) {
      if (baseOffset + index >= lane.position) {
        const record = this.#makeRecord(opened, index, place);
        records.push(record instanceof Promise ? await record : record);
      }
      place = opened.records.placeAfter(place);
    }
    return opened.records.byteLength;
  }

  /**
   * Calls until it succeeds, or goes on behind a first call that failed. Interrupted when the lane must stop, was paused or
   * sought, or ran out of attempts. At most once means one attempt: `next`, the offset behind what is delivered, is
   * committed before it.
   */
  async #callWithRetry(
    version: number,
    next: number,
    call: () => Promise<void> | void,
    first: Failure | null,
  ): Promise<Outcome> {
    const lane = this.#lane;
    let failedAt = lane.position;
    let failure = first;
    for (let attempt = 1; ; attempt++) {
      if (failure === null) {
        if (!this.#isClear() && !(await this.#leaseIsHeld())) return 'interrupted';
        if (this.#isVoid(version)) return 'interrupted';
        if (this.#isOnce && !(await this.#commitFirst(version, next))) return 'interrupted';
        failure = await this.#call(next, call);
      }
      // Lost or sought meanwhile: it was done, or it failed, and it does not count here. A drain is waiting for exactly this.
      if (this.#isVoid(version)) return 'interrupted';
      if (failure === null) return 'done';
      if (failure.error instanceof NotTaken) {
        // The loop is over, or the lane has to stop anyway: delivering again at once would only come back here.
        lane.pause();
        return 'interrupted';
      }
      // A batch that resolved some of its records failed at another one: that one has all its attempts.
      if (lane.position > failedAt) attempt = 1;
      failedAt = lane.position;
      this.#reportFailure(failure.error, failedAt, attempt);
      if (this.#isOnce) return 'done';
      if (lane.phase !== 'running') return 'interrupted';
      if (attempt >= this.#settings.retry.maxAttempts) {
        lane.halt(haltedAfter(attempt, lane, failedAt, failure.error));
        return 'interrupted';
      }
      failure = null;
      await this.#backOff(attempt);
      if (!lane.mayDeliver || lane.version !== version) return 'interrupted';
    }
  }

  /** Null when the handler did not fail. */
  async #call(next: number, call: () => Promise<void> | void): Promise<Failure | null> {
    this.callStartedMs = this.#port.clock.monotonicMs();
    this.#lane.handOut(next);
    try {
      const result = call();
      if (result !== undefined) await result;
      return null;
    } catch (error) {
      return { error };
    } finally {
      this.callStartedMs = null;
    }
  }

  #isVoid(version: number): boolean {
    return this.#lane.phase === 'ended' || this.#lane.version !== version;
  }

  #isClear(): boolean {
    return this.#leaseHealth() === 'held' && this.#lane.mayDeliver;
  }

  #leaseHealth(): LeaseHealth {
    return this.#port.leaseHealth(this.#port.clock.monotonicMs());
  }

  #reportFailure(error: unknown, offset: number, attempt: number): void {
    const lane = this.#lane;
    this.#port.onError(
      new HandlerError(
        'HANDLER_FAILED',
        `the handler failed at ${lane.key} offset ${offset} (attempt ${attempt}): ${error instanceof Error ? error.message : String(error)}`,
        { cause: error, details: { topic: lane.topic, partition: lane.partition, offset, attempt } },
      ),
    );
  }

  async #backOff(attempt: number): Promise<void> {
    const { initialBackoffMs, maxBackoffMs } = this.#settings.retry;
    const interrupt = new AbortController();
    // A drain, a pause or a seek must not wait for the end of a long backoff.
    this.#lane.onInterrupt = () => interrupt.abort();
    await delay(
      this.#port.clock,
      Math.min(maxBackoffMs, initialBackoffMs * 2 ** Math.min(attempt - 1, 30)),
      interrupt.signal,
    );
    this.#lane.onInterrupt = null;
  }

  /** At most once: what is about to be delivered is committed before. False when that was refused. */
  async #commitFirst(version: number, offset: number): Promise<boolean> {
    const lane = this.#lane;
    while (lane.mayDeliver) {
      lane.commits.note(offset);
      try {
        await lane.commits.flush();
        // Committed is as good as delivered: a drain or a pause that began meanwhile must not lose the record.
        return lane.commits.committed >= offset && !this.#isVoid(version);
      } catch {
        await delay(this.#port.clock, LEASE_CHECK_MS);
      }
    }
    return false;
  }

  /** Nothing starts while the lease may be in somebody else's hands. */
  async #leaseIsHeld(): Promise<boolean> {
    while (this.#leaseHealth() !== 'held') {
      if (!this.#lane.mayDeliver) return false;
      await delay(this.#port.clock, LEASE_CHECK_MS);
    }
    return this.#lane.mayDeliver;
  }
}

function haltedAfter(attempts: number, lane: Lane, offset: number, cause: unknown): HandlerError {
  return new HandlerError(
    'PARTITION_HALTED',
    `${lane.key} is halted at offset ${offset}: the handler failed ${attempts} times; resume() tries again, seek() goes past it`,
    { cause, details: { topic: lane.topic, partition: lane.partition, offset, attempts } },
  );
}

function asHalt(error: unknown, lane: Lane, offset: number): MillraceError {
  return error instanceof MillraceError ? error : haltedAfter(1, lane, offset, error);
}
