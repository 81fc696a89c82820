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
import { VarintReader, unzigzag } from './varint.ts';

const NULL = -1;

export type RecordHeaders = Readonly<Record<string, Buffer>>;

/** Shared by all records without headers. No prototype: `headers.constructor` is a header or nothing. */
const NO_HEADERS: RecordHeaders = Object.freeze(Object.create(null) as Record<string, Buffer>);

/** What all records of one batch share. */
interface BatchContext {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  readonly baseTimestampMs: number;
}

/**
 * One record of a batch. `key`, `value` and `headers` are made anew at every access: keep what you use twice. The
 * bytes are views of the batch; a copy is needed only to outlive it or to change them.
 *
 * All that is stored per record are small integers: offset and timestamp are sums, because either of them as a field
 * would cost a boxed double per record.
 */
export class BatchRecord {
  readonly #batch: BatchContext;
  readonly #index: number;
  readonly #timestampDelta: number;
  readonly #keyStart: number;
  readonly #keyEnd: number;
  readonly #valueStart: number;
  readonly #valueEnd: number;

  constructor(batch: BatchContext, index: number, places: RecordPlaces) {
    this.#batch = batch;
    this.#index = index;
    this.#timestampDelta = places.timestampDelta;
    this.#keyStart = places.keyStart;
    this.#keyEnd = places.keyEnd;
    this.#valueStart = places.valueStart;
    this.#valueEnd = places.valueEnd;
  }

  get offset(): number {
    return this.#batch.baseOffset + this.#index;
  }

  /** As the producer gave it, milliseconds since 1970. */
  get timestampMs(): number {
    return this.#batch.baseTimestampMs + this.#timestampDelta;
  }

  get key(): Buffer | null {
    return this.#keyStart === NULL ? null : this.#batch.bytes.subarray(this.#keyStart, this.#keyEnd);
  }

  get value(): Buffer | null {
    return this.#valueStart === NULL ? null : this.#batch.bytes.subarray(this.#valueStart, this.#valueEnd);
  }

  get headers(): RecordHeaders {
    return readHeaders(this.#batch.bytes, this.#valueEnd);
  }
}

/** Where the parts of the record being read lie; one object for a whole batch. */
interface RecordPlaces {
  timestampDelta: number;
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
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
 * The records of a batch; the first one has `baseOffset`. Throws DataError: `UNSUPPORTED_BATCH_VERSION` when a newer
 * Millrace wrote it, `CORRUPT_BATCH` otherwise. `where` names the batch in the message.
 */
export function decodeBatch(
  bytes: Uint8Array,
  baseOffset: number = 0,
  where: string = 'batch',
): BatchRecord[] {
  const batch = asBuffer(bytes);
  const count = verify(batch, where);
  const isCompressed = batch[ATTRIBUTES_AT] === ZSTD_COMPRESSED;
  const content = isCompressed ? decompressRecords(batch, count, where) : batch;
  const context: BatchContext = {
    bytes: content,
    baseOffset,
    baseTimestampMs: batch.readUIntBE(BASE_TIMESTAMP_AT, 6),
  };
  const reader = new VarintReader(content, isCompressed ? 0 : HEADER_BYTES, content.length);
  const places: RecordPlaces = {
    timestampDelta: 0,
    keyStart: NULL,
    keyEnd: 0,
    valueStart: NULL,
    valueEnd: 0,
  };
  const records: BatchRecord[] = [];
  for (let index = 0; index < count; index++) {
    if (!readRecord(reader, context.baseTimestampMs, places)) {
      throw corruptBatch(where, `record ${index} of ${count} is malformed`);
    }
    records.push(new BatchRecord(context, index, places));
  }
  if (reader.position !== content.length)
    throw corruptBatch(where, `${content.length - reader.position} bytes are left over`);
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
 * Notes where the parts of the next record lie; false when its bytes make no sense. Lengths that point behind the
 * record need no check of their own: the position only grows, so it cannot come back to the record's end.
 */
function readRecord(reader: VarintReader, baseTimestampMs: number, places: RecordPlaces): boolean {
  const length = reader.next();
  if (length < 0 || length > reader.end - reader.position) return false;
  const end = reader.position + length;
  const delta = reader.next();
  if (delta < 0) return false;
  places.timestampDelta = unzigzag(delta);
  const timestampMs = baseTimestampMs + places.timestampDelta;
  if (timestampMs < 0 || timestampMs > MAX_TIMESTAMP_MS) return false;

  const keyLength = reader.next() - 1;
  if (keyLength < NULL) return false;
  places.keyStart = keyLength === NULL ? NULL : reader.position;
  if (keyLength > 0) reader.position += keyLength;
  places.keyEnd = reader.position;

  const valueLength = reader.next() - 1;
  if (valueLength < NULL) return false;
  places.valueStart = valueLength === NULL ? NULL : reader.position;
  if (valueLength > 0) reader.position += valueLength;
  places.valueEnd = reader.position;

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

/** The headers that begin at `position`; `readRecord` has found them sound. */
function readHeaders(batch: Buffer, position: number): RecordHeaders {
  const reader = new VarintReader(batch, position, batch.length);
  const count = reader.next();
  if (count === 0) return NO_HEADERS;
  const headers = Object.create(null) as Record<string, Buffer>;
  for (let index = 0; index < count; index++) {
    const nameEnd = reader.next() + reader.position;
    const name = batch.toString('utf8', reader.position, nameEnd);
    reader.position = nameEnd;
    const valueEnd = reader.next() + reader.position;
    headers[name] = batch.subarray(reader.position, valueEnd);
    reader.position = valueEnd;
  }
  return headers;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
