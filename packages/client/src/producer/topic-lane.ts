/**
 * The way of records into one topic. Calls pass in the order in which they were made; one that has to wait (for the
 * number of partitions, for its validator, for room in memory) holds up those behind it, which would otherwise
 * overtake it within a partition.
 */
import {
  ConfigError,
  UnavailableError,
  errorFromCode,
  type MillraceError,
  type StickyPartitioner,
  type Timer,
} from '@millrace/core';
import { decodeBatch, toMillraceError } from '@millrace/redis';
import { unknownTopic } from '../topic/unknown-topic.ts';
import type { Delivery } from './delivery.ts';
import { atMostRecordBytes, type EncodedRecord } from './encode-records.ts';
import { PartitionCount, type CountContext } from './partition-count.ts';
import type { PlainRecords } from './plain-records.ts';
import { MAX_GROUPED, NONE, type PartitionGroups } from './partition-groups.ts';
import { PartitionLane, type LaneContext } from './partition-lane.ts';
import type { PendingBatch } from './pending-batch.ts';
import type { Submission } from './submission.ts';
import { SubmissionQueue } from './submission-queue.ts';

export interface TopicLaneContext extends LaneContext, CountContext {
  readonly sticky: StickyPartitioner;
  /** For the records of one call while they are put into batches. */
  readonly groups: PartitionGroups;
}

interface RecordSource {
  readonly length: number;
  /** Undefined behind the last. */
  at(index: number): EncodedRecord | undefined;
}

export class TopicLane {
  readonly #topic: string;
  readonly #context: TopicLaneContext;
  readonly #count: PartitionCount;
  readonly #waiting = new SubmissionQueue();
  readonly #lanes = new Map<number, PartitionLane>();
  #highestLane = -1;
  /** Calls wait for lanes of partitions that are gone. */
  #isHeldUp = false;
  #blockTimer: Timer | null = null;
  #isWaitingForRoom = false;

  constructor(topic: string, context: TopicLaneContext) {
    this.#topic = topic;
    this.#context = context;
    this.#count = new PartitionCount(topic, context, {
      counted: (partitions) =>
        partitions === null ? this.#abandonWaiting(unknownTopic(topic)) : this.advance(),
      failed: (error) => this.#abandonWaiting(error),
    });
  }

  submit(submission: Submission): void {
    this.#waiting.push(submission);
    this.advance();
    if (!submission.isOver) this.#watchBlocking();
  }

  /**
   * Puts a call's records into batches at once, as far as nothing is in the way: returns how many. The others are to be
   * submitted. Most calls pass here, without an object per record.
   */
  takeNow(records: PlainRecords, delivery: Delivery): number {
    const partitions = this.#count.known;
    if (this.#waiting.length > 0 || records.highestPartition >= partitions || partitions === 0) return 0;
    if (this.#hasGoneLanes(partitions)) return 0;
    try {
      const taken = this.#take(records, 0, partitions, delivery);
      if (taken < records.length) return taken;
      delivery.complete();
    } catch (error) {
      delivery.abandoned(this.#toError(error));
    }
    return records.length;
  }

  /** Lets as many calls through as can pass now. */
  advance(): void {
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      if (!first.isOver && !this.#admit(first)) return;
      this.#waiting.removeFirst();
    }
  }

  /** Resolves when everything that is waiting now is in batches, and these are stored or have failed. */
  async drained(): Promise<void> {
    const { last } = this.#waiting;
    if (last !== undefined) await new Promise<void>((resolve) => last.whenOver(resolve));
    await this.#lanesDrained();
  }

  /** The connection is back. */
  retryNow(): void {
    this.#count.retryNow();
    for (const lane of this.#lanes.values()) lane.retryNow();
  }

  failAll(error: MillraceError): void {
    this.#abandonWaiting(error);
    for (const lane of this.#lanes.values()) lane.failAll(error);
    this.stopTimers();
  }

  stopTimers(): void {
    this.#count.stop();
    this.#blockTimer?.cancel();
    this.#blockTimer = null;
    for (const lane of this.#lanes.values()) lane.stopTimers();
  }

  async #lanesDrained(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.drained()));
  }

  /** False when it has to wait. */
  #admit(submission: Submission): boolean {
    const { records } = submission;
    if (records === null) return false;
    const partitions = this.#count.get();
    if (partitions === 0 || this.#hasGoneLanes(partitions)) return false;
    if (submission.next === 0 && submission.highestPartition >= partitions) {
      // It may have been added since we asked.
      if (!this.#count.isFresherThan(submission.submittedMs)) return false;
      submission.abandon(this.#noSuchPartition(submission.highestPartition, partitions));
      return true;
    }
    return this.#fill(submission, records, partitions);
  }

  #fill(submission: Submission, records: readonly EncodedRecord[], partitions: number): boolean {
    const start = submission.next;
    try {
      submission.next = this.#take(records, start, partitions, submission.delivery);
    } catch (error) {
      submission.abandon(this.#toError(error));
      return true;
    }
    if (submission.next < records.length) {
      if (submission.next > start) submission.blockedSinceMs = this.#context.clock.monotonicMs();
      this.#waitForRoom();
      return false;
    }
    submission.complete();
    return true;
  }

  /** Puts records into batches, from that one on and as far as there is room: returns the first one that is in none. */
  #take(records: RecordSource, from: number, partitions: number, delivery: Delivery): number {
    const { memory, groups } = this.#context;
    let index = from;
    while (memory.hasRoom) {
      const record = records.at(index);
      if (record === undefined) break;
      if (index + 1 < records.length && isPlaced(record) && groups.begin()) {
        try {
          index += this.#takeGrouped(records, index, partitions, delivery);
        } finally {
          groups.end();
        }
      } else {
        this.#add(record, partitions, delivery);
        index++;
      }
    }
    return index;
  }

  /**
   * A record that follows the sticky partition goes on with it when it finds the batch full: left behind, it would be a batch
   * of its own, and of a thousand partitions every other batch. Once: where it then finds a batch of keyed records full, it
   * begins another.
   */
  #add(record: EncodedRecord, partitions: number, delivery: Delivery): void {
    const lane = this.#lane(this.#partitionOf(record, partitions));
    if (isPlaced(record)) lane.add(record, delivery);
    else if (!lane.addUnlessFull(record, delivery))
      this.#lane(this.#partitionOf(record, partitions)).add(record, delivery);
  }

  /**
   * Partition by partition, within which nothing changes its place: as far as there is room beyond doubt, and up to a
   * record that follows the sticky partition, which moves on with each batch. One at least; returns how many.
   */
  #takeGrouped(records: RecordSource, from: number, partitions: number, delivery: Delivery): number {
    const { groups, memory } = this.#context;
    let { freeBytes } = memory;
    for (let index = from; groups.length < MAX_GROUPED; index++) {
      const record = records.at(index);
      // The first one in any case: getters may answer otherwise than a moment ago, and taking nothing would have no end.
      if (record === undefined || (index > from && !isPlaced(record))) break;
      freeBytes -= atMostRecordBytes(record);
      if (freeBytes < 0 && index > from) break;
      groups.add(this.#partitionOf(record, partitions));
    }
    for (let group = 0; group < groups.count; group++) {
      const partition = groups.partitionOf(group);
      const lane = this.#lane(partition);
      for (let place = groups.firstOf(partition); place !== NONE; place = groups.after(place)) {
        const record = records.at(from + place);
        if (record !== undefined) lane.add(record, delivery);
      }
    }
    return groups.length;
  }

  #partitionOf(record: EncodedRecord, partitions: number): number {
    if (record.partition !== undefined) return record.partition;
    const { key } = record;
    if (key === null) return this.#context.sticky.partitionFor(this.#topic, partitions);
    const keyBytes = typeof key === 'string' ? Buffer.from(key) : key;
    return this.#choosePartition(keyBytes, partitions);
  }

  #choosePartition(key: Uint8Array, partitions: number): number {
    let chosen: number;
    try {
      chosen = this.#context.options.partitioner({ topic: this.#topic, key, partitions });
    } catch (cause) {
      throw new ConfigError('INVALID_OPTION', `the partitioner failed for topic "${this.#topic}"`, { cause });
    }
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < partitions) return chosen;
    throw new ConfigError(
      'INVALID_OPTION',
      `the partitioner gave ${String(chosen)} for topic "${this.#topic}", which has partitions 0 to ${partitions - 1}`,
    );
  }

  #lane(partition: number): PartitionLane {
    let lane = this.#lanes.get(partition);
    if (lane === undefined) {
      lane = new PartitionLane(this.#topic, partition, this.#context, {
        batchOpened: (nowMs) => this.#count.refreshIfOld(nowMs),
        batchSealed: () => this.#context.sticky.batchClosed(this.#topic, partition),
        explainUnknownPartition: () => this.#explainUnknownPartition(partition),
        isGone: () => this.#isGone(partition),
        moveAway: (batch) => this.#moveAway(batch),
        lanesDrained: () => this.#lanesDrained(),
        settled: () => this.#onSettled(),
      });
      this.#lanes.set(partition, lane);
      this.#highestLane = Math.max(this.#highestLane, partition);
    }
    return lane;
  }

  #isGone(partition: number): boolean {
    const partitions = this.#count.get();
    return partitions > 0 && partition >= partitions;
  }

  /**
   * The topic was deleted and created anew with fewer partitions, and what was sent by the old number is on its way back
   * from there. Later calls wait for it, or they would overtake it.
   */
  #hasGoneLanes(partitions: number): boolean {
    if (this.#highestLane < partitions) return false;
    for (const [partition, lane] of this.#lanes) {
      if (partition >= partitions && !lane.isIdle) return (this.#isHeldUp = true);
    }
    return false;
  }

  #onSettled(): void {
    if (!this.#isHeldUp) return;
    this.#isHeldUp = false;
    this.advance();
  }

  /** None of its records is stored. Their bytes are all that is left of them. */
  #moveAway(batch: PendingBatch): void {
    const partitions = this.#count.get();
    let records: readonly EncodedRecord[];
    let places: readonly number[];
    try {
      records = decodeBatch(batch.bytes ?? Buffer.alloc(0)).map(({ key, value, headers, timestampMs }) => {
        return { key, value, headers, timestampMs, partition: undefined };
      });
      places = records.map((record) => this.#partitionOf(record, partitions));
    } catch (error) {
      batch.failed(this.#toError(error));
      return;
    }
    let next = 0;
    batch.moved((owner) => {
      const [record, place] = [records[next], places[next]];
      next++;
      if (record !== undefined && place !== undefined) this.#lane(place).add(record, owner);
    });
  }

  async #explainUnknownPartition(partition: number): Promise<MillraceError> {
    const partitions = await this.#count.refresh();
    if (partitions === null) return unknownTopic(this.#topic);
    if (partition >= partitions) return this.#noSuchPartition(partition, partitions);
    return new ConfigError(
      'UNKNOWN_PARTITION',
      `${this.#topic}/${partition} is missing although the topic has ${partitions} partitions (a failover lost it, or its ` +
        `keys were deleted): admin.addPartitions(${JSON.stringify(this.#topic)}, ${partitions}) makes it anew, empty`,
      { details: { topic: this.#topic, partition } },
    );
  }

  #noSuchPartition(partition: number, partitions: number): ConfigError {
    return new ConfigError(
      'UNKNOWN_PARTITION',
      `there is no partition ${partition} in topic "${this.#topic}": it has 0 to ${partitions - 1}`,
      { details: { topic: this.#topic, partition, partitions } },
    );
  }

  #abandonWaiting(error: MillraceError): void {
    for (const submission of this.#waiting.takeAll()) submission.abandon(error);
  }

  #toError(error: unknown): MillraceError {
    return toMillraceError(error, `sending to topic "${this.#topic}"`);
  }

  #waitForRoom(): void {
    if (this.#isWaitingForRoom) return;
    this.#isWaitingForRoom = true;
    this.#context.memory.whenRoom(() => {
      this.#isWaitingForRoom = false;
      this.advance();
    });
  }

  #watchBlocking(): void {
    const { first } = this.#waiting;
    if (first === undefined || this.#blockTimer !== null) return;
    const { clock, options } = this.#context;
    const remainingMs = first.blockedSinceMs + options.maxBlockMs - clock.monotonicMs();
    this.#blockTimer = clock.startTimer(Math.max(remainingMs, 1), () => this.#onBlocked());
  }

  #onBlocked(): void {
    this.#blockTimer = null;
    const { clock, options } = this.#context;
    const latestMs = clock.monotonicMs() - options.maxBlockMs;
    const { first } = this.#waiting;
    if (first === undefined) return;
    const error = this.#blockedError(first);
    for (const submission of this.#waiting)
      if (submission.blockedSinceMs <= latestMs) submission.abandon(error);
    this.advance();
    this.#watchBlocking();
  }

  /** What the first one waits for holds up the others. */
  #blockedError(first: Submission): MillraceError {
    const { memory, options } = this.#context;
    const waited = `sending to topic "${this.#topic}" could not begin within ${options.maxBlockMs} ms`;
    const details = { topic: this.#topic };
    if (first.records === null)
      return new UnavailableError('TIMED_OUT', `${waited}: its validator has not answered`, { details });
    const { lastError } = this.#count;
    if (lastError !== null)
      return errorFromCode(lastError.code, `${waited}: ${lastError.message}`, { cause: lastError, details });
    if (this.#count.get() === 0)
      return new UnavailableError('TIMED_OUT', `${waited}: Redis has not answered`, { details });
    return new UnavailableError(
      'BUFFER_FULL',
      `${waited}: ${memory.usedBytes} bytes wait to be stored and maxBufferedBytes is ${options.maxBufferedBytes}; send less at ` +
        'once, or find out why Redis is slow',
      { details },
    );
  }
}

/** Its own key or partition says where it goes, whatever became of those before it. */
function isPlaced({ partition, key }: EncodedRecord): boolean {
  return partition !== undefined || key !== null;
}
