/**
 * Reads a stored batch. The checksum and the whole structure are verified first: a damaged or hostile batch is one
 * typed error that says where it lies, before any of its records was handed out. Only then do records come into
 * being, and their keys, values and headers are views that are made when somebody asks for them.
 */
import { crc32 } from 'node:zlib';
import { DataError } from '@millrace/core';
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_VERSION,
  CRC_AT,
  HEADER_BYTES,
  MAX_BATCH_RECORDS,
  MAX_TIMESTAMP_MS,
  MIN_RECORD_BYTES,
  RECORD_COUNT_AT,
  UNCOMPRESSED,
  ZSTD_COMPRESSED,
} from './batch-format.ts';
import { decompressRecords } from './batch-compression.ts';
import { corruptBatch } from './corrupt-batch.ts';
import { DecodedBatch, type RecordHeaders } from './decoded-batch.ts';
import { VarintReader, unzigzag } from './varint.ts';

const NULL = -1;

/**
 * One record of a batch. `key`, `value` and `headers` are made anew at every access: keep what you use twice. The
 * bytes are views of the batch; a copy is needed only to outlive it or to change them.
 */
export class BatchRecord {
  readonly #batch: DecodedBatch;
  readonly #index: number;
  readonly #place: number;

  constructor(batch: DecodedBatch, index: number, place: number) {
    this.#batch = batch;
    this.#index = index;
    this.#place = place;
  }

  get offset(): number {
    return this.#batch.baseOffset + this.#index;
  }

  /** As the producer gave it, milliseconds since 1970. */
  get timestampMs(): number {
    return this.#batch.timestampMs(this.#place);
  }

  get key(): Buffer | null {
    return this.#batch.key(this.#place);
  }

  get value(): Buffer | null {
    return this.#batch.value(this.#place);
  }

  get headers(): RecordHeaders {
    return this.#batch.headers(this.#place);
  }
}

/** Number of records, from the header alone: enough to tell a batch's base offset from the offset after it. */
export function recordCount(bytes: Uint8Array): number {
  return bytes.length < HEADER_BYTES ? 0 : asBuffer(bytes).readUInt32BE(RECORD_COUNT_AT);
}

/** The checksum as stored, without verifying it. */
export function storedChecksum(bytes: Uint8Array): number {
  return bytes.length < HEADER_BYTES ? 0 : asBuffer(bytes).readUInt32BE(CRC_AT);
}

/**
 * A batch whose checksum and structure are sound; its first record has `baseOffset`. Throws DataError:
 * `UNSUPPORTED_BATCH_VERSION` when a newer Millrace wrote it, `CORRUPT_BATCH` otherwise. `where` names the batch in the
 * message.
 */
export function openBatch(bytes: Uint8Array, baseOffset: number = 0, where: string = 'batch'): DecodedBatch {
  const batch = asBuffer(bytes);
  const count = verify(batch, where);
  const isCompressed = batch[ATTRIBUTES_AT] === ZSTD_COMPRESSED;
  const content = isCompressed ? decompressRecords(batch, count, where) : batch;
  const firstPlace = isCompressed ? 0 : HEADER_BYTES;
  const baseTimestampMs = batch.readUIntBE(BASE_TIMESTAMP_AT, 6);
  const reader = new VarintReader(content, firstPlace, content.length);
  for (let index = 0; index < count; index++) {
    if (!passRecord(reader, baseTimestampMs))
      throw corruptBatch(where, `record ${index} of ${count} is malformed`);
  }
  if (reader.position !== content.length)
    throw corruptBatch(where, `${content.length - reader.position} bytes are left over`);
  return new DecodedBatch(content, firstPlace, count, baseOffset, baseTimestampMs);
}

/** The records of a batch, each as an object. Throws what `openBatch` throws. */
export function decodeBatch(
  bytes: Uint8Array,
  baseOffset: number = 0,
  where: string = 'batch',
): BatchRecord[] {
  const batch = openBatch(bytes, baseOffset, where);
  const records: BatchRecord[] = [];
  let place = batch.firstPlace;
  for (let index = 0; index < batch.recordCount; index++) {
    records.push(new BatchRecord(batch, index, place));
    place = batch.placeAfter(place);
  }
  return records;
}

function verify(batch: Buffer, where: string): number {
  const version = batch[0];
  if (version === undefined) throw corruptBatch(where, 'it is empty');
  if (version !== BATCH_VERSION) {
    throw new DataError(
      'UNSUPPORTED_BATCH_VERSION',
      `${where} has version ${version}, this Millrace reads version ${BATCH_VERSION}: upgrade the reader`,
      { details: { version, supported: BATCH_VERSION } },
    );
  }
  if (batch.length < HEADER_BYTES) throw corruptBatch(where, `${batch.length} bytes are less than a header`);
  if (crc32(batch.subarray(ATTRIBUTES_AT)) !== batch.readUInt32BE(CRC_AT))
    throw corruptBatch(where, 'checksum mismatch');
  const attributes = batch[ATTRIBUTES_AT];
  if (attributes !== UNCOMPRESSED && attributes !== ZSTD_COMPRESSED) {
    throw new DataError(
      'UNSUPPORTED_BATCH_VERSION',
      `${where} has version ${version} with attributes ${attributes}, which this Millrace does not know: upgrade the reader`,
      { details: { version, attributes: attributes ?? UNCOMPRESSED, supported: BATCH_VERSION } },
    );
  }
  const count = batch.readUInt32BE(RECORD_COUNT_AT);
  if (count === 0) throw corruptBatch(where, 'it holds no record');
  // Before anything is sized by it: a count that no writer may store, or that the bytes cannot hold.
  if (count > MAX_BATCH_RECORDS)
    throw corruptBatch(where, `${count} records are more than ${MAX_BATCH_RECORDS}`);
  if (attributes === UNCOMPRESSED && count > (batch.length - HEADER_BYTES) / MIN_RECORD_BYTES) {
    throw corruptBatch(where, `${count} records do not fit in ${batch.length} bytes`);
  }
  return count;
}

/**
 * Goes past the next record; false when its bytes make no sense. Lengths that point behind the record need no check of
 * their own: the position only grows, so it cannot come back to the record's end.
 */
function passRecord(reader: VarintReader, baseTimestampMs: number): boolean {
  const length = reader.next();
  if (length < 0 || length > reader.end - reader.position) return false;
  const end = reader.position + length;
  const delta = reader.next();
  if (delta < 0) return false;
  const timestampMs = baseTimestampMs + unzigzag(delta);
  if (timestampMs < 0 || timestampMs > MAX_TIMESTAMP_MS) return false;

  const keyLength = reader.next() - 1;
  if (keyLength < NULL) return false;
  if (keyLength > 0) reader.position += keyLength;

  const valueLength = reader.next() - 1;
  if (valueLength < NULL) return false;
  if (valueLength > 0) reader.position += valueLength;

  const headers = reader.next();
  if (headers < 0) return false;
  // A count too large for the bytes ends at the record's end: every part takes at least one of them.
  for (let parts = headers * 2; parts > 0; parts--) {
    const partLength = reader.next();
    if (partLength < 0) return false;
    reader.position += partLength;
    if (reader.position > end) return false;
  }
  return reader.position === end;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
