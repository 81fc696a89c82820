/**
 * The form of a log's stream entries: id `0-<offset after the batch>`, field `t` with the append time (ms) and field
 * `b` with the batch. Whatever else is in the stream was written past Millrace: it has no offset, so it is reported
 * and never guessed at.
 */
import { DataError, parsePartitionKey, type PartitionKey, type StoredBatch } from '@millrace/core';
import { recordCount, storedChecksum } from '../batch/batch-decoder.ts';

/** Id, then field, value, field, value. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]];

const ID_PREFIX = '0-';
const APPEND_TIME_FIELD = 0x74; // t
const BATCH_FIELD = 0x62; // b

/** The entry that ends before `offset`; as a stream cursor, what follows it holds `offset` and more. */
export function entryIdBefore(offset: number): string {
  return `${ID_PREFIX}${offset}`;
}

/** Throws DataError `FOREIGN_ENTRY` for an entry that `append.lua` did not write. */
export function parseEntry(partition: PartitionKey, [id, fields]: RawEntry): StoredBatch {
  const nextOffset = parseEntryId(id);
  const [timeField, time, batchField, bytes] = fields;
  if (nextOffset === null || !isField(timeField, APPEND_TIME_FIELD) || !isField(batchField, BATCH_FIELD)) {
    throw foreignEntry(partition, id.toString('latin1'));
  }
  const appendedMs = parseDigits(time, 0);
  const count = bytes === undefined ? 0 : recordCount(bytes);
  if (
    appendedMs === null ||
    bytes === undefined ||
    count === 0 ||
    count > nextOffset ||
    fields.length !== 4
  ) {
    throw foreignEntry(partition, id.toString('latin1'));
  }
  return { partition, nextOffset, appendedMs, bytes };
}

/** Offset of the first record of a stored batch. */
export function baseOffsetOf(batch: StoredBatch): number {
  return batch.nextOffset - recordCount(batch.bytes);
}

/**
 * Tells this batch from another one at the same offsets, without reading its records: commits carry it, so that a log
 * that lost its tail and was written anew is noticed.
 */
export function fingerprintOf(batch: StoredBatch): string {
  return `${batch.appendedMs}-${storedChecksum(batch.bytes).toString(16).padStart(8, '0')}`;
}

export function foreignEntry(partition: PartitionKey, id: string): DataError {
  return new DataError(
    'FOREIGN_ENTRY',
    `the log of ${partition} holds entry ${id}, which Millrace did not append: somebody wrote to its stream. ` +
      'Nothing was skipped, and nothing more is appended; copy the records to a new topic to go on',
    { details: { ...parsePartitionKey(partition), id } },
  );
}

function isField(name: Buffer | undefined, character: number): boolean {
  return name?.length === 1 && name[0] === character;
}

function parseEntryId(id: Buffer): number | null {
  return id[0] === 0x30 && id[1] === 0x2d ? parseDigits(id, ID_PREFIX.length) : null;
}

/** Digits to a safe integer, without a string in between. */
function parseDigits(text: Buffer | undefined, start: number): number | null {
  if (text === undefined || text.length === start) return null;
  let value = 0;
  for (let index = start; index < text.length; index++) {
    const digit = (text[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return Number.isSafeInteger(value) ? value : null;
}
