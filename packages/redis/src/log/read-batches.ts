/**
 * Reads batches from many partitions in one XREAD. The position of a partition is the cursor itself, so nothing is
 * registered in Redis and nothing has to be acknowledged.
 *
 * XREAD has no error for a position that the log does not hold: before its start it silently begins later, behind its
 * end it waits and then skips (Kafka's KIP-320 is about the same). Offsets are dense, so every read is checked: the
 * first batch must hold the position, and each one must begin where the one before ended.
 */
import { DataError, partitionKey, type PartitionKey, type StoredBatch } from '@millrace/core';
import { baseOffsetOf, parseEntry, type RawEntry } from './log-entry.ts';

export interface ReadPosition {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to be read. */
  readonly offset: number;
  /**
   * True when `offset` is the end of a batch that was read before. A batch that only holds it somewhere inside then
   * proves that the log was truncated and written anew.
   */
  readonly atBatchStart?: boolean;
  /** Server that the position is of: only its answer counts. Left out, any server's does. */
  readonly server?: string;
}

/** Another server answered than the one that a position is of. Nothing of the answer was used. */
export class OtherServerError extends Error {
  override readonly name = 'OtherServerError';
  readonly server: string;

  constructor(server: string) {
    super('the log was read at another server than the one that the position is of');
    this.server = server;
  }
}

export interface ReadOptions {
  /** Most entries of each partition; one entry is a batch of up to 1 MiB. */
  readonly maxEntries: number;
  /** How long to wait when there is nothing to read, in ms; 0, the default, does not wait. */
  readonly blockMs?: number;
}

/** Name of a stream, and its entries. */
export type RawStream = readonly [key: Buffer, entries: readonly RawEntry[]];

export interface ReadAnswer {
  /** The streams that were asked for, by position. */
  readonly names: readonly string[];
  /** In the order of `names`, without those that had nothing. */
  readonly streams: readonly RawStream[];
  /** Identity of the server, as of a moment after the read; `null` where no position names one. */
  readonly server: string | null;
}

/** Whoever answers an XREAD with an INFO behind it. */
export interface EntryReader {
  /** Resolves with what `take` makes of the answer; rejects with what it throws, or where there is no answer. */
  readEntries<T>(
    positions: readonly ReadPosition[],
    options: ReadOptions,
    take: (answer: ReadAnswer) => T,
  ): Promise<T>;
}

/**
 * Batches from each position on, in order within each partition; the first one of a partition may begin below its
 * position. A blocked read occupies the connection: give it one of its own.
 * Ask for a partition once in a read: two answers of one log cannot be told apart.
 *
 * Throws `OtherServerError`, and DataError with the partition in `details`: `OFFSET_OUT_OF_RANGE` when the log begins after the position,
 * `LOG_TRUNCATED` when batches do not join, `FOREIGN_ENTRY` when somebody else wrote to the stream. Reading again
 * without that partition gives the others, for a read changes nothing.
 */
export function readBatches(
  reader: EntryReader,
  positions: readonly ReadPosition[],
  options: ReadOptions,
): Promise<StoredBatch[]> {
  if (positions.length === 0) return Promise.resolve([]);
  return reader.readEntries(positions, options, (answer) => verifiedBatches(positions, answer));
}

function verifiedBatches(
  positions: readonly ReadPosition[],
  { names, streams, server: present }: ReadAnswer,
): StoredBatch[] {
  if (present !== null && positions.some((position) => (position.server ?? present) !== present))
    throw new OtherServerError(present);
  const batches: StoredBatch[] = [];
  let place = 0;
  for (const [key, entries] of streams) {
    // Answers come in the order that was asked for, without those that had nothing: the search goes on behind the last.
    const name = key.toString('latin1');
    const behind = names.indexOf(name, place);
    place = behind >= 0 ? behind : names.indexOf(name);
    const position = positions[place];
    if (position === undefined) throw new TypeError('XREAD answered a stream that it was not asked for');
    collectBatches(position, entries, batches);
  }
  return batches;
}

function collectBatches(position: ReadPosition, entries: readonly RawEntry[], batches: StoredBatch[]): void {
  const partition = partitionKey(position.topic, position.partition);
  const copies = new Copies(entries);
  let expected = position.offset;
  let isFirst = position.atBatchStart !== true;
  for (const entry of entries) {
    const batch = parseEntry(partition, entry);
    const base = baseOffsetOf(batch);
    if (base > expected) throw missingRecords(position, partition, expected, base);
    if (base < expected && !isFirst) throw rewritten(position, partition, expected, base);
    batches.push(copies.own(batch));
    expected = batch.nextOffset;
    isFirst = false;
  }
}

/** A piece that is kept for one batch at its end keeps no more than this. */
const MAX_PIECE_BYTES = 65_536;

const NOTHING = Buffer.alloc(0);

/**
 * Small batches come as views of what came from the socket, 64 KiB of all partitions. One of 100 bytes that
 * waits for a slow handler, or in a paused partition, would keep all of that, and whoever counts bytes would not know.
 * Those of one partition are consumed together, so they share a piece of memory: one each would cost more than the copy.
 */
class Copies {
  #restBytes = 0;
  #piece = NOTHING;
  #used = 0;

  constructor(entries: readonly RawEntry[]) {
    for (const [, fields] of entries) {
      const bytes = fields[3];
      if (bytes !== undefined && isView(bytes)) this.#restBytes += bytes.length;
    }
  }

  own(batch: StoredBatch): StoredBatch {
    const { bytes } = batch;
    if (!isView(bytes)) return batch;
    const start = this.#used + bytes.length <= this.#piece.length ? this.#used : this.#begin(bytes.length);
    this.#used = start + bytes.length;
    this.#restBytes -= bytes.length;
    this.#piece.set(bytes, start);
    const own =
      this.#used - start === this.#piece.length ? this.#piece : this.#piece.subarray(start, this.#used);
    return { ...batch, bytes: own };
  }

  #begin(bytes: number): number {
    this.#piece = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(this.#restBytes, MAX_PIECE_BYTES)));
    return 0;
  }
}

function isView(bytes: Uint8Array): boolean {
  return bytes.buffer.byteLength > bytes.length * 2;
}

function missingRecords(
  position: ReadPosition,
  partition: PartitionKey,
  expected: number,
  found: number,
): DataError {
  return new DataError(
    'OFFSET_OUT_OF_RANGE',
    `offset ${expected} of ${partition} is not in the log any more: the next record there is ${found}`,
    { details: { topic: position.topic, partition: position.partition, offset: expected, found } },
  );
}

function rewritten(
  position: ReadPosition,
  partition: PartitionKey,
  expected: number,
  found: number,
): DataError {
  return new DataError(
    'LOG_TRUNCATED',
    `the log of ${partition} was truncated below offset ${expected} and written anew: a batch there begins at ${found}`,
    { details: { topic: position.topic, partition: position.partition, offset: expected, found } },
  );
}
