/**
 * The lanes that one read asks for, and what becomes of its answer. Kept from read to read while nothing but what it
 * brought has changed: then only the lanes that it brought something for are looked at again. At one record a millisecond
 * a walk over all of them, for each record, is what a consumer of many partitions would mostly do.
 */
import type { PartitionKey, StoredBatch } from '@millrace/core';
import type { ReadPosition } from '@millrace/redis';
import type { Lane } from './lane.ts';

/** Of one lane in one read. One that was sought meanwhile has another version, and its answer counts for nothing. */
export interface Question {
  readonly lane: Lane;
  readonly version: number;
  /** Of its position in the read. */
  readonly place: number;
  /** Entries that came back for it. */
  entries: number;
}

/** Of one lane in one read. Sizes seen say little where large entries follow small ones. */
export const MAX_ENTRIES = 256;

/** What a read brought. */
export interface Brought {
  readonly records: number;
  readonly bytes: number;
}

export class AskedLanes {
  readonly #questions = new Map<PartitionKey, Question>();
  readonly #positions: ReadPosition[] = [];
  /** Those that something came for. */
  readonly #answered: Question[] = [];
  #areAtEnd = true;
  /** The least that one of them may hold. */
  #leastBytes = Number.POSITIVE_INFINITY;
  #largestEntryBytes: number;

  constructor(lanes: readonly Lane[]) {
    for (const lane of lanes) {
      const place = this.#positions.push(positionOf(lane)) - 1;
      this.#questions.set(lane.key, { lane, version: lane.version, place, entries: 0 });
      this.#leastBytes = Math.min(this.#leastBytes, lane.maxReadBytes);
      this.#areAtEnd &&= lane.isAtEnd;
    }
    this.#largestEntryBytes = this.#findLargestEntry();
  }

  /** Changes when an answer is taken, not before. */
  get positions(): readonly ReadPosition[] {
    return this.#positions;
  }

  /** False as soon as one of them may have a backlog. */
  get areAtEnd(): boolean {
    return this.#areAtEnd;
  }

  questions(): Iterable<Question> {
    return this.#questions.values();
  }

  /** What is asked of the lane is what it wants to know now. */
  asks(lane: Lane): boolean {
    const question = this.#questions.get(lane.key);
    return question?.lane === lane && question.version === lane.version;
  }

  /**
   * XREAD's COUNT is per stream, and a reply without bound can take the server's memory: bound it by sizes seen, and by
   * what one lane may hold. Lanes at their end are not expected to bring much. They do where nobody could read for a while
   * (Redis was away, a handler kept the event loop), and then all of them together.
   */
  entriesPerLane(mostBytes: number, maxReadBytes: number): number {
    const share = Math.min(this.#leastBytes, maxReadBytes, mostBytes / this.#positions.length);
    return Math.max(1, Math.min(MAX_ENTRIES, Math.floor(share / this.#largestEntryBytes)));
  }

  /** Gives each lane what came for it, and makes the same read ask for what follows. */
  take(batches: readonly StoredBatch[], maxEntries: number): Brought {
    const brought = this.#distribute(batches);
    for (const question of this.#areAtEnd ? this.#answered : this.#questions.values()) {
      const { lane, version, entries } = question;
      // With fewer entries than it asked for, there was no more.
      lane.isAtEnd = lane.version === version && entries < maxEntries;
    }
    for (const question of this.#answered) {
      question.entries = 0;
      this.#positions[question.place] = positionOf(question.lane);
      this.#areAtEnd &&= question.lane.isAtEnd;
    }
    this.#answered.length = 0;
    return brought;
  }

  #distribute(batches: readonly StoredBatch[]): Brought {
    let [records, bytes] = [0, 0];
    let hasLargestShrunk = false;
    for (const batch of batches) {
      bytes += batch.bytes.length;
      const question = this.#questions.get(batch.partition);
      if (question === undefined || question.lane.version !== question.version) continue;
      if (question.entries++ === 0) this.#answered.push(question);
      const { lane } = question;
      records += batch.nextOffset - lane.fetchPosition;
      hasLargestShrunk ||= lane.entryBytes === this.#largestEntryBytes;
      lane.accept(batch);
      if (lane.entryBytes >= this.#largestEntryBytes) {
        this.#largestEntryBytes = lane.entryBytes;
        hasLargestShrunk = false;
      }
    }
    if (hasLargestShrunk) this.#largestEntryBytes = this.#findLargestEntry();
    return { records, bytes };
  }

  #findLargestEntry(): number {
    let largest = 1;
    for (const { lane } of this.#questions.values()) largest = Math.max(largest, lane.entryBytes);
    return largest;
  }
}

function positionOf(lane: Lane): ReadPosition {
  return {
    topic: lane.topic,
    partition: lane.partition,
    offset: lane.fetchPosition,
    atBatchStart: lane.isAtBatchStart,
    server: lane.fence.server,
  };
}
