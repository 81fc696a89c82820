import zlib from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { verifyCompression, type CompressionSettings } from './batch-compression.ts';
import { decodeBatch, recordCount, storedChecksum } from './batch-decoder.ts';
import { BatchEncoder, encodeBatch, type RecordInput } from './batch-encoder.ts';
import { ATTRIBUTES_AT, HEADER_BYTES, MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from './batch-format.ts';
import { VarintReader } from './varint.ts';

const ZSTD: CompressionSettings = { compression: 'zstd', compressionMinBytes: 1_024 };
const ALWAYS: CompressionSettings = { ...ZSTD, compressionMinBytes: 0 };

function records(count: number, value: (index: number) => string | Buffer): RecordInput[] {
  return Array.from({ length: count }, (_, index) => ({ value: value(index), timestampMs: 0x0102030405 }));
}

function isCompressed(batch: Buffer): boolean {
  return batch[ATTRIBUTES_AT] === 1;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the layout of a compressed batch', () => {
  const inputs = records(100, () => 'paid');
  const plain = encodeBatch(inputs);
  const batch = encodeBatch(inputs, ALWAYS);

  test('is this, byte for byte', () => {
    expect(batch.toString('hex', 0, HEADER_BYTES + 9)).toBe(
      [
        '01', // version
        zlib.crc32(batch.subarray(ATTRIBUTES_AT)).toString(16).padStart(8, '0'), // of what is stored
        '01', // attributes: zstd
        '00000064', // records
        '000102030405', // base timestamp
        '84 07', // 900 bytes of records before compression
        '28b52ffd', // magic of zstd
        '60', // two bytes of size, one segment, no checksum, no dictionary
        '8402', // 900 - 256, the lower byte first
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  test('holds what the plain one holds behind its header', () => {
    const reader = new VarintReader(batch, HEADER_BYTES, batch.length);
    expect(reader.next()).toBe(plain.length - HEADER_BYTES);
    expect(zlib.zstdDecompressSync(batch.subarray(reader.position))).toEqual(plain.subarray(HEADER_BYTES));
  });

  test('tells number of records and checksum without decompressing', () => {
    const decompress = vi.spyOn(zlib, 'zstdDecompressSync');
    expect(recordCount(batch)).toBe(100);
    expect(storedChecksum(batch)).toBe(zlib.crc32(batch.subarray(ATTRIBUTES_AT)));
    expect(decompress).not.toHaveBeenCalled();
  });
});

describe('what is compressed', () => {
  test('begins at compressionMinBytes', () => {
    const inputs = records(1, () => 'x'.repeat(2_000));
    const { length } = encodeBatch(inputs);
    const sizes = [length - 1, length, length + 1];
    expect(
      sizes.map((compressionMinBytes) => isCompressed(encodeBatch(inputs, { ...ZSTD, compressionMinBytes }))),
    ).toEqual([true, true, false]);
  });

  test('is what gets a tenth smaller; what does not is stored as it is', () => {
    const noise = randomBytes(10_000);
    const mixed = (same: number): Buffer => Buffer.concat([noise, Buffer.alloc(same)]);
    const outcomes = [0, 500, 2_000].map((same) => {
      const inputs = records(1, () => mixed(same));
      const batch = encodeBatch(inputs, ZSTD);
      expect(decodeBatch(batch)[0]?.value).toEqual(mixed(same));
      return [isCompressed(batch), batch.equals(encodeBatch(inputs))];
    });
    expect(outcomes).toEqual([
      [false, true],
      [false, true],
      [true, false],
    ]);
  });

  test('is nothing unless it is asked for', () => {
    const compress = vi.spyOn(zlib, 'zstdCompressSync');
    encodeBatch(records(1_000, () => 'x'));
    expect(compress).not.toHaveBeenCalled();
  });
});

test('limits are those of the batch before compression', () => {
  const encoder = new BatchEncoder();
  const value = Buffer.alloc(100_000);
  const taken = Array.from({ length: 12 }, () => encoder.append({ value, timestampMs: 0 }));
  expect(taken.filter(Boolean)).toHaveLength(10);
  const { byteLength } = encoder;
  const batch = encoder.finish(ZSTD);
  expect(byteLength).toBeGreaterThan(1_000_000);
  expect(batch.length).toBeLessThan(2_000);
  expect(decodeBatch(batch).every((record) => record.value?.equals(value) === true)).toBe(true);
});

test('the largest batches come back', () => {
  const largest = records(1, () => Buffer.alloc(MAX_BATCH_BYTES - 64 - 6));
  expect(decodeBatch(encodeBatch(largest, ZSTD))[0]?.value?.length).toBe(MAX_BATCH_BYTES - 64 - 6);
  const most = records(MAX_BATCH_RECORDS, (index) => `${index}`);
  const read = decodeBatch(encodeBatch(most, ZSTD), 7);
  expect(read.map(({ value }) => String(value))).toEqual(most.map(({ value }) => value));
  expect(read.at(-1)?.offset).toBe(7 + MAX_BATCH_RECORDS - 1);
});

test('an encoder that is used again does not write into the batch before', () => {
  const encoder = new BatchEncoder();
  const batches = ['a', 'b', 'c'].map((letter) => {
    for (const input of records(200, () => letter.repeat(20))) encoder.append(input);
    return encoder.finish(letter === 'b' ? undefined : ZSTD);
  });
  expect(batches.map(isCompressed)).toEqual([true, false, true]);
  expect(batches.map((batch) => String(decodeBatch(batch)[199]?.value)[0])).toEqual(['a', 'b', 'c']);
});

describe('on a Node without zstd', () => {
  const { zstdCompressSync, zstdDecompressSync } = zlib;

  afterEach(() => {
    Object.assign(zlib, { zstdCompressSync, zstdDecompressSync });
  });

  function withoutZstd(): void {
    Object.assign(zlib, { zstdCompressSync: undefined, zstdDecompressSync: undefined });
  }

  test('compression is refused, and says which Node has it', () => {
    withoutZstd();
    const refusal = expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/^compression "zstd" needs Node 22\.15, .* this is v\d+\./),
    });
    expect(() => verifyCompression('zstd')).toThrow(refusal);
    expect(() =>
      encodeBatch(
        records(1_000, () => 'x'),
        ZSTD,
      ),
    ).toThrow(refusal);
    expect(() => verifyCompression('none')).not.toThrow();
  });

  test('a compressed batch is not readable, a plain one is', () => {
    const inputs = records(1_000, () => 'x');
    const [compressed, plain] = [encodeBatch(inputs, ZSTD), encodeBatch(inputs)];
    withoutZstd();
    expect(() => decodeBatch(compressed, 0, 'the batch at offset 12 of orders/3')).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_BATCH_VERSION',
        message: expect.stringMatching(
          /^the batch at offset 12 of orders\/3 is compressed with zstd, which needs Node 22\.15/,
        ),
        details: { version: 1, attributes: 1, supported: 1 },
      }),
    );
    expect(decodeBatch(plain)).toHaveLength(1_000);
  });
});
