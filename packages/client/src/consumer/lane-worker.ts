/**
 * Delivers one lane's records to the user's handler, strictly in order, one call at a time. The loop ends when the
 * lane's phase leaves `running` and the call under way has settled.
 */
import { HandlerError, MillraceError, type Clock, type LeaseHealth, type StoredBatch } from '@millrace/core';
import { baseOffsetOf, decodeBatch, recordCount, type BatchRecord } from '@millrace/redis';
import { delay } from '../clock/delay.ts';
import type { ConsumerRecord } from './consumer-record.ts';
import type { EachBatch, EachBatchHandler, EachRecord, EachRecordHandler, Handlers } from './handlers.ts';
import type { Lane } from './lane.ts';
import { flushCommits } from './offset-control.ts';
import { NotTaken } from './record-iterator.ts';
import type { Slots } from './slots.ts';

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

/** Turns a stored record into what handlers get; async only where a schema is. */
export type RecordDecoder<V> = (
  batch: StoredBatch,
  record: BatchRecord,
  lane: Lane,
) => ConsumerRecord<V> | Promise<ConsumerRecord<V>>;

export interface WorkerPort<V> {
  readonly clock: Clock;
  readonly slots: Slots;
  readonly handlers: Handlers<V>;
  readonly decode: RecordDecoder<V>;
  leaseHealth(): LeaseHealth;
  onError(error: MillraceError): void;
  pause(lane: Lane): () => void;
}

type Outcome = 'done' | 'interrupted';

/** A handler that never awaits I/O would otherwise keep the event loop from turning: heartbeats, commits, signals. */
const TURN_MS = 10;
const LEASE_CHECK_MS = 50;

export class LaneWorker<V> {
  /** When the handler call under way began; null between calls. */
  callStartedMs: number | null = null;
  readonly settled: Promise<void>;

  readonly #lane: Lane;
  readonly #port: WorkerPort<V>;
  readonly #settings: WorkerSettings;
  #turnStartedMs = 0;

  constructor(lane: Lane, port: WorkerPort<V>, settings: WorkerSettings) {
    this.#lane = lane;
    this.#port = port;
    this.#settings = settings;
    this.settled = this.#run();
  }

  async #run(): Promise<void> {
    const lane = this.#lane;
    while (lane.phase === 'running') {
      if (!lane.mayDeliver || lane.head === undefined) {
        await lane.changed.wait();
        continue;
      }
      const slot = this.#takeSlot();
      if (slot !== true && !(await slot)) continue;
      try {
        if (!lane.mayDeliver || lane.head === undefined) continue;
        const { eachRecord, eachBatch } = this.#port.handlers;
        if (eachRecord !== undefined) await this.#deliverRecords(lane.head, eachRecord);
        else await this.#deliverBatch(eachBatch);
      } catch (error) {
        // Not the user's handler, whose errors are dealt with where it is called: what is stored cannot be read.
        lane.halt(asHalt(error, lane, lane.position));
      } finally {
        this.#port.slots.giveBack();
      }
      await this.#turn();
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
    const version = lane.version;
    const baseOffset = baseOffsetOf(batch);
    const records = decodeBatch(batch.bytes, baseOffset, `batch at ${lane.key} offset ${baseOffset}`);
    for (const stored of records) {
      if (stored.offset < lane.position) continue;
      const decoded = this.#port.decode(batch, stored, lane);
      const record = decoded instanceof Promise ? await decoded : decoded;
      if (!lane.mayDeliver || lane.version !== version) return;

      const outcome = await this.#callWithRetry(version, record.offset + 1, () =>
        this.#callEachRecord(handler, record),
      );
      // Again, because a seek may have come between the end of the call and here.
      if (outcome === 'interrupted' || this.#isVoid(version)) return;
      lane.processed(record.offset + 1);
      if (this.#isTurnOver()) await this.#turn();
    }
    if (lane.version === version && lane.head === batch) lane.shift();
  }

  #callEachRecord(handler: EachRecordHandler<V>, record: ConsumerRecord<V>): Promise<void> | void {
    const lane = this.#lane;
    const delivery: EachRecord<V> = {
      topic: lane.topic,
      partition: lane.partition,
      record,
      epoch: lane.epoch,
      signal: lane.signal,
      pause: () => this.#port.pause(lane),
    };
    return handler(delivery);
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
    const outcome = await this.#callWithRetry(version, next, () =>
      this.#callEachBatch(handler, records, next, version),
    );
    if (outcome === 'interrupted' || this.#isVoid(version)) return;
    lane.processed(next);
    while (lane.head !== undefined && lane.head.nextOffset <= next) lane.shift();
  }

  /** Records from the position on, of as many buffered batches as fit. */
  async #collect(): Promise<ConsumerRecord<V>[]> {
    const lane = this.#lane;
    const records: ConsumerRecord<V>[] = [];
    for (const batch of lane.buffered) {
      if (records.length > 0 && records.length + recordCount(batch.bytes) > this.#settings.maxBatchRecords)
        break;
      try {
        await this.#decodeInto(records, batch);
      } catch (error) {
        // What is readable before it is delivered first; the next round comes back here with nothing before it.
        if (records.length === 0) throw error;
        break;
      }
    }
    return records;
  }

  async #decodeInto(records: ConsumerRecord<V>[], batch: StoredBatch): Promise<void> {
    const lane = this.#lane;
    const baseOffset = baseOffsetOf(batch);
    for (const stored of decodeBatch(batch.bytes, baseOffset, `batch at ${lane.key} offset ${baseOffset}`)) {
      if (stored.offset < lane.position) continue;
      const decoded = this.#port.decode(batch, stored, lane);
      records.push(decoded instanceof Promise ? await decoded : decoded);
    }
  }

  #callEachBatch(
    handler: EachBatchHandler<V>,
    all: readonly ConsumerRecord<V>[],
    next: number,
    version: number,
  ): Promise<void> | void {
    const lane = this.#lane;
    // A second attempt begins behind what the first one resolved.
    const records = all.filter((record) => record.offset >= lane.position);
    const [first] = records;
    if (first === undefined) return;
    const isStale = (): boolean => lane.phase !== 'running' || lane.version !== version;
    const delivery: EachBatch<V> = {
      batch: {
        topic: lane.topic,
        partition: lane.partition,
        records,
        firstOffset: first.offset,
        lastOffset: next - 1,
      },
      epoch: lane.epoch,
      signal: lane.signal,
      resolveOffset: (offset) => {
        if (offset >= lane.position && offset < next && lane.version === version) lane.processed(offset + 1);
      },
      commit: () => {
        // Without autoCommit nobody has noted what was resolved.
        if (lane.version === version) lane.commits.note(lane.position);
        return flushCommits(lane);
      },
      isStale,
      pause: () => this.#port.pause(lane),
    };
    return handler(delivery);
  }

  /**
   * Calls until it succeeds. Interrupted when the lane must stop, was paused or sought, or ran out of attempts. At most
   * once means one attempt: `next`, the offset behind what is delivered, is committed before it.
   */
  async #callWithRetry(version: number, next: number, call: () => Promise<void> | void): Promise<Outcome> {
    const lane = this.#lane;
    const isOnce = this.#settings.commitMode === 'at-most-once';
    let failedAt = lane.position;
    for (let attempt = 1; ; attempt++) {
      if (!this.#isClear() && !(await this.#leaseIsHeld())) return 'interrupted';
      if (this.#isVoid(version)) return 'interrupted';
      if (isOnce && !(await this.#commitFirst(version, next))) return 'interrupted';
      try {
        this.callStartedMs = this.#port.clock.monotonicMs();
        lane.handOut(next);
        const result = call();
        if (result !== undefined) await result;
        // Lost or sought meanwhile: it was done, and it does not count here. A drain is waiting for exactly this.
        return this.#isVoid(version) ? 'interrupted' : 'done';
      } catch (error) {
        if (this.#isVoid(version)) return 'interrupted';
        if (error instanceof NotTaken) {
          // The loop is over, or the lane has to stop anyway: delivering again at once would only come back here.
          lane.pause();
          return 'interrupted';
        }
        // A batch that resolved some of its records failed at another one: that one has all its attempts.
        if (lane.position > failedAt) attempt = 1;
        failedAt = lane.position;
        this.#reportFailure(error, failedAt, attempt);
        if (isOnce) return 'done';
        if (lane.phase !== 'running') return 'interrupted';
        if (attempt >= this.#settings.retry.maxAttempts) {
          lane.halt(haltedAfter(attempt, lane, failedAt, error));
          return 'interrupted';
        }
      } finally {
        this.callStartedMs = null;
      }
      await this.#backOff(attempt);
      if (!lane.mayDeliver || lane.version !== version) return 'interrupted';
    }
  }

  #isVoid(version: number): boolean {
    return this.#lane.phase === 'ended' || this.#lane.version !== version;
  }

  #isClear(): boolean {
    return this.#port.leaseHealth() === 'held' && this.#lane.mayDeliver;
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
    while (this.#port.leaseHealth() !== 'held') {
      if (!this.#lane.mayDeliver) return false;
      await delay(this.#port.clock, LEASE_CHECK_MS);
    }
    return this.#lane.mayDeliver;
  }

  #isTurnOver(): boolean {
    return this.#port.clock.monotonicMs() - this.#turnStartedMs >= TURN_MS;
  }

  async #turn(): Promise<void> {
    await this.#port.clock.nextTurn();
    this.#turnStartedMs = this.#port.clock.monotonicMs();
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
