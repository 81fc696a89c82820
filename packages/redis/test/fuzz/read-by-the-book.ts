/**
 * Another reader of batches: written from the layout alone, a byte at a time, with BigInt, and with nothing of the
 * product but the limits. What the decoder makes of bytes is compared with what this one makes of them.
 */
import zlib from 'node:zlib';
import { MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_TIMESTAMP_MS } from '../../src/batch/batch-format.ts';

export interface BookRecord {
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: ReadonlyMap<string, Buffer>;
}

class Unsound extends Error {}

/** Takes bytes from the front, never more than there are. */
class Bytes {
  #rest: Buffer;

  constructor(rest: Buffer) {
    this.#rest = rest;
  }

  get isEmpty(): boolean {
    return this.#rest.length === 0;
  }

  take(count: number): Buffer {
    if (count > this.#rest.length) throw new Unsound();
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  takeRest(): Buffer {
    return this.take(this.#rest.length);
  }

  integer(count: number): number {
    return Number(`0x${this.take(count).toString('hex')}`);
  }

  varint(): number {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.take(1)[0] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      if ((byte === 0 && shift > 0n) || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Unsound();
      return Number(value);
    }
  }

  nullable(): Buffer | null {
    const length = this.varint();
    return length === 0 ? null : this.take(length - 1);
  }
}

/** Null where the bytes are no batch of version 1. */
export function readByTheBook(batch: Buffer): BookRecord[] | null {
  try {
    return readBatch(new Bytes(batch));
  } catch (error) {
    if (error instanceof Unsound) return null;
    throw error;
  }
}

function readBatch(bytes: Bytes): BookRecord[] {
  if (bytes.integer(1) !== 1) throw new Unsound();
  const checksum = bytes.integer(4);
  const covered = bytes.takeRest();
  if (zlib.crc32(covered) !== checksum) throw new Unsound();
  const body = new Bytes(covered);
  const attributes = body.integer(1);
  const count = body.integer(4);
  const baseTimestampMs = body.integer(6);
  if (attributes > 1 || count === 0 || count > MAX_BATCH_RECORDS) throw new Unsound();
  const content = attributes === 1 ? decompress(body) : body;
  const records = Array.from({ length: count }, () =>
    readRecord(new Bytes(content.take(content.varint())), baseTimestampMs),
  );
  if (!content.isEmpty) throw new Unsound();
  return records;
}

function decompress(body: Bytes): Bytes {
  const stated = body.varint();
  const frame = body.takeRest();
  if (stated > MAX_BATCH_BYTES - 16) throw new Unsound();
  let content: Buffer;
  try {
    content = zlib.zstdDecompressSync(frame, { maxOutputLength: 2 * MAX_BATCH_BYTES });
  } catch {
    throw new Unsound();
  }
  if (content.length !== stated) throw new Unsound();
  return new Bytes(content);
}

function readRecord(record: Bytes, baseTimestampMs: number): BookRecord {
  const delta = BigInt(record.varint());
  const timestampMs = baseTimestampMs + Number(delta % 2n === 0n ? delta / 2n : -(delta + 1n) / 2n);
  if (timestampMs < 0 || timestampMs > MAX_TIMESTAMP_MS) throw new Unsound();
  const key = record.nullable();
  const value = record.nullable();
  const headers = new Map<string, Buffer>();
  for (let rest = record.varint(); rest > 0; rest--) {
    const name = record.take(record.varint()).toString('utf8');
    headers.set(name, record.take(record.varint()));
  }
  if (!record.isEmpty) throw new Unsound();
  return { timestampMs, key, value, headers };
}
