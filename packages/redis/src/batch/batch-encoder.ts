/**
 * Writes records into one growing buffer, which becomes the batch without another copy. This is the hot path of every
 * producer: no object, no closure and no promise per record; text is written as UTF-8 straight into the buffer.
 *
 * The limits of a record are checked here, before a byte is written, so that a refused record leaves the batch as it was.
 */
import { crc32 } from 'node:zlib';
import { ConfigError } from '@millrace/core';
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_VERSION,
  CRC_AT,
  HEADER_BYTES,
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  MAX_KEY_BYTES,
  MAX_RECORD_BYTES,
  MAX_TIMESTAMP_MS,
  RECORD_COUNT_AT,
  UNCOMPRESSED,
  ZSTD_COMPRESSED,
} from './batch-format.ts';
import type { BatchBuffers } from './batch-buffers.ts';
import { compressBatch, type CompressionSettings } from './batch-compression.ts';
import { varintBytes, writeVarint, zigzag } from './varint.ts';

/** Text is stored as UTF-8; a lone surrogate becomes U+FFFD, as everywhere in Node. */
export type BytesInput = Uint8Array | string;

export interface RecordInput {
  readonly key?: BytesInput | null | undefined;
  /** `null` is a tombstone: the key is to be forgotten. */
  readonly value: BytesInput | null;
  /** Milliseconds since 1970, an integer from 0 to 2^48 − 1. */
  readonly timestampMs: number;
  readonly headers?: Readonly<Record<string, BytesInput>> | undefined;
}

const EMPTY = Buffer.alloc(0);
const NO_NAMES: readonly string[] = [];
const NULL = -1;
const MIN_CAPACITY_BYTES = 1024;
const UNCOMPRESSED_ALWAYS: CompressionSettings = { compression: 'none', compressionMinBytes: 0 };

export class BatchEncoder {
  #buffer: Buffer = EMPTY;
  #position = HEADER_BYTES;
  #recordCount = 0;
  #baseTimestampMs = 0;
  /** Size of the buffer to begin with: growing one to 100 KB step by step costs as much as encoding 500 records. */
  #expectedBytes: number;
  readonly #buffers: BatchBuffers | null;

  /**
   * `expectedBytes` is where the size is known; later batches begin with the size of the one before. `buffers`: where
   * finished batches are given back to.
   */
  constructor(expectedBytes: number = MIN_CAPACITY_BYTES, buffers: BatchBuffers | null = null) {
    this.#expectedBytes = expectedBytes;
    this.#buffers = buffers;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Size of the batch if it were finished now, uncompressed: limits hold for what a reader has to hold. */
  get byteLength(): number {
    return this.#position;
  }

  /**
   * Adds a record, or returns false and changes nothing when the batch would grow past `maxBytes` or
   * `MAX_BATCH_RECORDS`: finish this batch and add the record to the next. The first record always fits.
   *
   * Throws `RECORD_TOO_LARGE` or `INVALID_RECORD` (ConfigError) for a record that fits no batch.
   */
  append(record: RecordInput, maxBytes: number = MAX_BATCH_BYTES): boolean {
    const { timestampMs, headers } = record;
    const key = record.key ?? null;
    const value = record.value ?? null;
    const keyBytes = byteLength(key, 'key');
    if (keyBytes > MAX_KEY_BYTES) throw tooLarge('key', keyBytes, MAX_KEY_BYTES);
    if (!(timestampMs >= 0 && timestampMs <= MAX_TIMESTAMP_MS && Number.isInteger(timestampMs))) {
      throw new ConfigError(
        'INVALID_RECORD',
        `timestampMs must be an integer from 0 to 2^48 - 1, not ${timestampMs}`,
      );
    }
    const valueBytes = byteLength(value, 'value');
    const headerNames = headers === undefined ? NO_NAMES : Object.keys(headers);
    const delta = this.#recordCount === 0 ? 0 : zigzag(timestampMs - this.#baseTimestampMs);
    const recordBytes =
      varintBytes(delta) +
      nullableBytes(keyBytes) +
      nullableBytes(valueBytes) +
      varintBytes(headerNames.length) +
      (headers === undefined ? 0 : headersBytes(headers, headerNames));
    if (recordBytes > MAX_RECORD_BYTES) throw tooLarge('record', recordBytes, MAX_RECORD_BYTES);

    const needed = this.#position + varintBytes(recordBytes) + recordBytes;
    if (this.#recordCount > 0 && (needed > maxBytes || needed > MAX_BATCH_BYTES)) return false;
    if (this.#recordCount >= MAX_BATCH_RECORDS) return false;
    if (this.#recordCount === 0) this.#baseTimestampMs = timestampMs;
    if (needed > this.#buffer.length) this.#grow(needed);

    const buffer = this.#buffer;
    let position = writeVarint(buffer, this.#position, recordBytes);
    position = writeVarint(buffer, position, delta);
    position = writeNullable(buffer, position, key, keyBytes);
    position = writeNullable(buffer, position, value, valueBytes);
    position = writeVarint(buffer, position, headerNames.length);
    if (headers !== undefined) position = writeHeaders(buffer, position, headers, headerNames);
    this.#position = position;
    this.#recordCount++;
    return true;
  }

  /**
   * Hands the batch over and begins the next one in a buffer of its own. Throws RangeError when there is no record, and
   * ConfigError `INVALID_OPTION` where this Node cannot compress so.
   */
  finish(settings: CompressionSettings = UNCOMPRESSED_ALWAYS): Buffer {
    if (this.#recordCount === 0) throw new RangeError('a batch holds at least one record');
    const plain = this.#buffer.subarray(0, this.#position);
    plain[0] = BATCH_VERSION;
    plain.writeUInt32BE(this.#recordCount, RECORD_COUNT_AT);
    plain.writeUIntBE(this.#baseTimestampMs, BASE_TIMESTAMP_AT, 6);
    const isLarge = settings.compression === 'zstd' && plain.length >= settings.compressionMinBytes;
    const compressed = isLarge ? compressBatch(plain) : null;
    const batch = compressed ?? plain;
    if (compressed !== null) this.#buffers?.give(plain);
    batch[ATTRIBUTES_AT] = compressed === null ? UNCOMPRESSED : ZSTD_COMPRESSED;
    batch.writeUInt32BE(crc32(batch.subarray(ATTRIBUTES_AT)), CRC_AT);
    this.#expectedBytes = this.#position;
    this.#buffer = EMPTY;
    this.#position = HEADER_BYTES;
    this.#recordCount = 0;
    return batch;
  }

  #grow(needed: number): void {
    const bytes = Math.max(needed, this.#buffer.length * 2, this.#expectedBytes, MIN_CAPACITY_BYTES);
    const grown = this.#buffers?.take(bytes) ?? Buffer.allocUnsafe(bytes);
    this.#buffer.copy(grown, 0, 0, this.#position);
    this.#buffers?.give(this.#buffer);
    this.#buffer = grown;
  }
}

/** One batch of all records. Throws RangeError when they are none or too many for one, see `BatchEncoder.append`. */
export function encodeBatch(records: readonly RecordInput[], settings?: CompressionSettings): Buffer {
  const encoder = new BatchEncoder(estimateBytes(records));
  for (const record of records) {
    if (!encoder.append(record)) {
      throw new RangeError(`${records.length} records do not fit in one batch (${MAX_BATCH_BYTES} bytes)`);
    }
  }
  return encoder.finish(settings);
}

/** As if all records were like the first one, and a little more. */
function estimateBytes(records: readonly RecordInput[]): number {
  const first = records[0];
  const bytes = (first?.key?.length ?? 0) + (first?.value?.length ?? 0) + 16;
  return Math.min(HEADER_BYTES + records.length * bytes, MAX_BATCH_BYTES);
}

function byteLength(source: BytesInput | null, what: string): number {
  if (source === null) return NULL;
  if (typeof source === 'string') return Buffer.byteLength(source, 'utf8');
  if (source instanceof Uint8Array) return source.length;
  throw new ConfigError('INVALID_RECORD', `${what} must be text, a Uint8Array or null, not ${typeof source}`);
}

function nullableBytes(bytes: number): number {
  return bytes === NULL ? 1 : varintBytes(bytes + 1) + bytes;
}

function writeNullable(buffer: Buffer, position: number, source: BytesInput | null, bytes: number): number {
  const start = writeVarint(buffer, position, bytes + 1);
  return source === null ? start : writeBytes(buffer, start, source, bytes);
}

function writeBytes(buffer: Buffer, position: number, source: BytesInput, bytes: number): number {
  if (typeof source === 'string') buffer.write(source, position, bytes, 'utf8');
  else buffer.set(source, position);
  return position + bytes;
}

function headersBytes(headers: Readonly<Record<string, BytesInput>>, names: readonly string[]): number {
  if (names.length > MAX_HEADERS) {
    throw new ConfigError('RECORD_TOO_LARGE', `${names.length} headers: the limit is ${MAX_HEADERS}`, {
      details: { headers: names.length, limit: MAX_HEADERS },
    });
  }
  let total = 0;
  for (const name of names) {
    const nameBytes = Buffer.byteLength(name, 'utf8');
    const valueBytes = headerValueBytes(headers, name);
    total += varintBytes(nameBytes) + nameBytes + varintBytes(valueBytes) + valueBytes;
  }
  if (total > MAX_HEADER_BYTES) throw tooLarge('headers', total, MAX_HEADER_BYTES);
  return total;
}

function headerValueBytes(headers: Readonly<Record<string, BytesInput>>, name: string): number {
  const bytes = byteLength(headers[name] ?? null, 'a header');
  if (bytes === NULL)
    throw new ConfigError('INVALID_RECORD', 'a header must be text or a Uint8Array, not null');
  return bytes;
}

function writeHeaders(
  buffer: Buffer,
  position: number,
  headers: Readonly<Record<string, BytesInput>>,
  names: readonly string[],
): number {
  let at = position;
  for (const name of names) {
    const nameBytes = Buffer.byteLength(name, 'utf8');
    at = writeBytes(buffer, writeVarint(buffer, at, nameBytes), name, nameBytes);
    const valueBytes = headerValueBytes(headers, name);
    at = writeBytes(buffer, writeVarint(buffer, at, valueBytes), headers[name] ?? '', valueBytes);
  }
  return at;
}

function tooLarge(what: string, bytes: number, limit: number): ConfigError {
  return new ConfigError('RECORD_TOO_LARGE', `${what} of ${bytes} bytes: the limit is ${limit}`, {
    details: { bytes, limit },
  });
}
