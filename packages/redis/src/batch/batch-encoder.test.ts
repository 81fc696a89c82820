import { ConfigError } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { decodeBatch } from './batch-decoder.ts';
import { BatchEncoder, encodeBatch, type RecordInput } from './batch-encoder.ts';
import {
  HEADER_BYTES,
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  MAX_KEY_BYTES,
  MAX_RECORD_BYTES,
  MAX_TIMESTAMP_MS,
} from './batch-format.ts';

/** What the largest value leaves of a record: delta, no key, length of the value, no headers. */
const LARGEST_VALUE_BYTES = MAX_RECORD_BYTES - 6;

function record(overrides: Partial<RecordInput> = {}): RecordInput {
  return { value: 'v', timestampMs: 1_700_000_000_000, ...overrides };
}

function headers(count: number, bytes: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`h${index}`, 'x'.repeat(bytes)]));
}

describe('the layout of version 1', () => {
  test('is this, byte for byte', () => {
    const batch = encodeBatch([
      { key: 'k', value: 'vv', timestampMs: 0x0102030405 },
      { value: null, timestampMs: 0x0102030404, headers: { h: Buffer.from([0xff]) } },
    ]);
    expect(batch.toString('hex')).toBe(
      [
        '01', // version
        batch.toString('hex', 1, 5), // checksum: the tests of the decoder see to it
        '00', // attributes
        '00000002', // records
        '000102030405', // base timestamp
        '07 00 02 6b 03 7676 00', // delta 0, key "k", value "vv", no headers
        '08 01 00 00 01 01 68 01 ff', // delta -1, no key, tombstone, header "h"
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  test('costs seven bytes for a record of 200', () => {
    const value = Buffer.alloc(200);
    const one = encodeBatch([record({ value })]).length;
    const two = encodeBatch([record({ value }), record({ value })]).length;
    expect([one - HEADER_BYTES - 200, two - one - 200]).toEqual([7, 7]);
  });

  test('tells null from empty', () => {
    const [none, empty] = decodeBatch(
      encodeBatch([record({ key: null, value: null }), record({ key: '', value: '' })]),
    );
    expect([none?.key, none?.value]).toEqual([null, null]);
    expect([empty?.key, empty?.value]).toEqual([Buffer.alloc(0), Buffer.alloc(0)]);
  });
});

describe('limits are met to the byte', () => {
  test('of a record', () => {
    const value = Buffer.alloc(LARGEST_VALUE_BYTES);
    const batch = encodeBatch([record({ value })]);
    expect(batch.length).toBeLessThanOrEqual(MAX_BATCH_BYTES);
    expect(decodeBatch(batch)[0]?.value?.length).toBe(LARGEST_VALUE_BYTES);
    expect(() => encodeBatch([record({ value: Buffer.alloc(LARGEST_VALUE_BYTES + 1) })])).toThrow(
      expect.objectContaining({
        code: 'RECORD_TOO_LARGE',
        retryable: false,
        details: { bytes: MAX_RECORD_BYTES + 1, limit: MAX_RECORD_BYTES },
      }),
    );
  });

  test('of text, which is measured as UTF-8', () => {
    expect(() => encodeBatch([record({ value: 'é'.repeat(LARGEST_VALUE_BYTES / 2) })])).not.toThrow();
    expect(() => encodeBatch([record({ value: 'é'.repeat(LARGEST_VALUE_BYTES / 2 + 1) })])).toThrow(
      ConfigError,
    );
  });

  test('of a key', () => {
    expect(() => encodeBatch([record({ key: 'k'.repeat(MAX_KEY_BYTES) })])).not.toThrow();
    expect(() => encodeBatch([record({ key: 'k'.repeat(MAX_KEY_BYTES + 1) })])).toThrow(
      `key of ${MAX_KEY_BYTES + 1} bytes: the limit is ${MAX_KEY_BYTES}`,
    );
  });

  test('of headers, in number', () => {
    expect(() => encodeBatch([record({ headers: headers(MAX_HEADERS, 1) })])).not.toThrow();
    expect(() => encodeBatch([record({ headers: headers(MAX_HEADERS + 1, 1) })])).toThrow(
      expect.objectContaining({ code: 'RECORD_TOO_LARGE' }),
    );
  });

  test('of headers, in bytes', () => {
    // The name "h0" and its length take 3 bytes, the length of the value 2.
    expect(() => encodeBatch([record({ headers: headers(1, MAX_HEADER_BYTES - 5) })])).not.toThrow();
    expect(() => encodeBatch([record({ headers: headers(1, MAX_HEADER_BYTES - 4) })])).toThrow(
      `headers of ${MAX_HEADER_BYTES + 1} bytes: the limit is ${MAX_HEADER_BYTES}`,
    );
  });

  test('of a batch, in records', () => {
    const encoder = new BatchEncoder();
    for (let index = 0; index < MAX_BATCH_RECORDS; index++) expect(encoder.append(record())).toBe(true);
    expect(encoder.append(record())).toBe(false);
    expect(encoder.recordCount).toBe(MAX_BATCH_RECORDS);
    expect(decodeBatch(encoder.finish())).toHaveLength(MAX_BATCH_RECORDS);
  });

  test('of a batch, in bytes', () => {
    const encoder = new BatchEncoder();
    const value = Buffer.alloc(100_000);
    const taken = Array.from({ length: 12 }, () => encoder.append(record({ value })));
    expect(taken.filter(Boolean)).toHaveLength(10);
    expect(encoder.finish().length).toBeLessThanOrEqual(MAX_BATCH_BYTES);
  });
});

describe('maxBytes', () => {
  test('refuses the record that would go beyond, and takes smaller ones after it', () => {
    const encoder = new BatchEncoder();
    const value = Buffer.alloc(200);
    expect(encoder.append(record({ value }), 500)).toBe(true);
    expect(encoder.append(record({ value }), 500)).toBe(true);
    const before = encoder.byteLength;
    expect(encoder.append(record({ value }), 500)).toBe(false);
    expect([encoder.byteLength, encoder.recordCount]).toEqual([before, 2]);
    expect(encoder.append(record({ value: 'small' }), 500)).toBe(true);
    expect(decodeBatch(encoder.finish()).map(({ value: stored }) => stored?.length)).toEqual([200, 200, 5]);
  });

  test('never refuses the first record', () => {
    const encoder = new BatchEncoder();
    expect(encoder.append(record({ value: Buffer.alloc(1000) }), 10)).toBe(true);
    expect(encoder.append(record({ value: 'small' }), 10)).toBe(false);
  });
});

describe('a record that no batch can hold', () => {
  test.each([
    ['a fraction', 1.5],
    ['negative', -1],
    ['not a number', NaN],
    ['too far in the future', MAX_TIMESTAMP_MS + 1],
    ['text', '1' as never],
  ])('a timestamp that is %s is refused', (_, timestampMs) => {
    expect(() => encodeBatch([record({ timestampMs })])).toThrow(
      expect.objectContaining({ code: 'INVALID_RECORD' }),
    );
  });

  test.each([
    ['a number', 'key', { key: 5 as never }],
    ['an object', 'value', { value: { secret: 'hunter2' } as never }],
    ['words', 'value', { value: new Uint16Array(2) as never }],
    ['null', 'a header', { headers: { h: null as never } }],
    ['a number', 'a header', { headers: { h: 5 as never } }],
  ])('%s as %s is refused, and what it holds is not told', (_, what, overrides) => {
    const attempt = () => encodeBatch([record(overrides)]);
    expect(attempt).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }));
    expect(attempt).toThrow(new RegExp(`^${what} must be text`));
    expect(attempt).not.toThrow('hunter2');
  });

  test('leaves the batch as it was', () => {
    const encoder = new BatchEncoder();
    encoder.append(record({ value: 'a' }));
    expect(() => encoder.append(record({ value: Buffer.alloc(MAX_RECORD_BYTES) }))).toThrow('record of');
    expect(() => encoder.append(record({ timestampMs: -1 }))).toThrow('timestampMs');
    encoder.append(record({ value: 'b' }));
    expect(decodeBatch(encoder.finish()).map(({ value }) => String(value))).toEqual(['a', 'b']);
  });
});

test('an empty batch cannot be finished', () => {
  expect(() => new BatchEncoder().finish()).toThrow(RangeError);
  expect(() => encodeBatch([])).toThrow(RangeError);
});

test('more records than one batch holds are not silently cut', () => {
  const tooMany = Array.from({ length: MAX_BATCH_RECORDS + 1 }, () => record());
  expect(() => encodeBatch(tooMany)).toThrow(RangeError);
});
