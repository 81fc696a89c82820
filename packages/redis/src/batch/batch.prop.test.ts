/** What is encoded is decoded, for any records; and no bytes whatever make the decoder do anything but say so. */
import { DataError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBatch, recordCount } from './batch-decoder.ts';
import { recordInputs } from '../../test/fuzz/record-inputs.ts';
import { withChecksum } from '../../test/fuzz/hostile-batches.ts';
import { BatchEncoder, encodeBatch, type BytesInput, type RecordInput } from './batch-encoder.ts';
import { ATTRIBUTES_AT, HEADER_BYTES, RECORD_COUNT_AT } from './batch-format.ts';

function asBytes(source: BytesInput | null | undefined): Buffer | null {
  return source === null || source === undefined ? null : Buffer.from(source as string);
}

/** Own entries only: a header `__proto__` must come back as a header. */
function headersOf(headers: RecordInput['headers']): [string, Buffer | null][] {
  return Object.entries(headers ?? {})
    .map(([name, value]): [string, Buffer | null] => [name, asBytes(value)])
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Decodes and touches everything; DataError is the only thing that may be thrown. */
function tryDecode(bytes: Uint8Array): 'decoded' | DataError {
  try {
    for (const record of decodeBatch(bytes)) {
      void [record.key, record.value, record.offset];
      expect(record.timestampMs).toBeGreaterThanOrEqual(0);
      for (const value of Object.values(record.headers))
        expect(value.byteLength).toBeLessThanOrEqual(bytes.length);
    }
    return 'decoded';
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return error;
  }
}

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(recordInputs, fc.integer({ min: 0, max: 2 ** 52 }), (inputs, baseOffset) => {
      const batch = encodeBatch(inputs);
      expect(recordCount(batch)).toBe(inputs.length);
      const records = decodeBatch(batch, baseOffset);
      expect(records).toHaveLength(inputs.length);
      for (const [index, input] of inputs.entries()) {
        const record = records[index];
        expect(record?.offset).toBe(baseOffset + index);
        expect(record?.timestampMs).toBe(input.timestampMs);
        expect(record?.key).toEqual(asBytes(input.key));
        expect(record?.value).toEqual(asBytes(input.value));
        expect(headersOf(record?.headers)).toEqual(headersOf(input.headers));
      }
    }),
    { numRuns: 300 },
  );
});

test('a batch that lies inside a larger buffer decodes alike', () => {
  fc.assert(
    fc.property(recordInputs, fc.nat(50), fc.nat(50), (inputs, before, after) => {
      const batch = encodeBatch(inputs);
      const larger = new Uint8Array(before + batch.length + after).fill(0xff);
      larger.set(batch, before);
      const records = decodeBatch(larger.subarray(before, before + batch.length));
      expect(records.map((record) => record.value)).toEqual(inputs.map((input) => asBytes(input.value)));
    }),
  );
});

test('an encoder that grows and is used again writes what one call writes', () => {
  fc.assert(
    fc.property(
      fc.array(recordInputs, { minLength: 1, maxLength: 4 }),
      fc.nat(3000),
      (batches, expectedBytes) => {
        const encoder = new BatchEncoder(expectedBytes);
        const finished = batches.map((inputs) => {
          for (const input of inputs) expect(encoder.append(input)).toBe(true);
          const { byteLength, recordCount: count } = encoder;
          const batch = encoder.finish();
          expect([batch.length, recordCount(batch)]).toEqual([byteLength, count]);
          return batch;
        });
        // Compared at the end: a later batch must not have written into an earlier one.
        expect(finished).toEqual(batches.map((inputs) => encodeBatch(inputs)));
      },
    ),
  );
});

describe('hostile bytes', () => {
  test('one flipped bit is always an error', () => {
    fc.assert(
      fc.property(recordInputs, fc.nat(), (inputs, at) => {
        const batch = encodeBatch(inputs);
        const bit = at % (batch.length * 8);
        batch[bit >> 3] = (batch[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(tryDecode(batch)).toMatchObject({
          code: bit < 8 ? 'UNSUPPORTED_BATCH_VERSION' : 'CORRUPT_BATCH',
        });
      }),
      { numRuns: 500 },
    );
  });

  test('every truncation and every extension is an error', () => {
    fc.assert(
      fc.property(recordInputs, fc.uint8Array({ minLength: 1, maxLength: 20 }), (inputs, more) => {
        const batch = encodeBatch(inputs);
        for (let length = 0; length < batch.length; length++) {
          expect(tryDecode(batch.subarray(0, length))).toMatchObject({ code: 'CORRUPT_BATCH' });
        }
        expect(tryDecode(Buffer.concat([batch, more]))).toMatchObject({ code: 'CORRUPT_BATCH' });
      }),
      { numRuns: 50 },
    );
  });

  test('with a checksum that fits, truncated and extended records are errors all the same', () => {
    fc.assert(
      fc.property(recordInputs, fc.uint8Array({ minLength: 1, maxLength: 20 }), (inputs, more) => {
        const batch = encodeBatch(inputs);
        for (let length = HEADER_BYTES; length < batch.length; length++) {
          expect(tryDecode(withChecksum(Buffer.from(batch.subarray(0, length))))).toBeInstanceOf(DataError);
        }
        expect(tryDecode(withChecksum(Buffer.concat([batch, more])))).toMatchObject({
          code: 'CORRUPT_BATCH',
        });
      }),
      { numRuns: 50 },
    );
  });

  test('with a checksum that fits, random records are decoded whole or are an error', () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(
        recordInputs,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        (inputs, changes) => {
          const batch = encodeBatch(inputs);
          for (const [at, byte] of changes) {
            batch[ATTRIBUTES_AT + 1 + (at % (batch.length - ATTRIBUTES_AT - 1))] = byte;
          }
          const outcome = tryDecode(withChecksum(batch));
          outcomes.add(outcome === 'decoded' ? outcome : outcome.code);
        },
      ),
      { numRuns: 2000 },
    );
    // Both happened, so the property was not vacuous.
    expect([...outcomes].toSorted()).toEqual(['CORRUPT_BATCH', 'decoded']);
  });

  test('random bytes are an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(tryDecode(bytes)).toBeInstanceOf(DataError);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['more records than bytes', 0xffffffff],
    ['one record more', 3],
    ['one record fewer', 1],
    ['no record', 0],
  ])('a count of %s is an error, and nothing is allocated for it', (_, count) => {
    const batch = encodeBatch(['a', 'b'].map((value) => ({ value, timestampMs: 0 })));
    batch.writeUInt32BE(count, RECORD_COUNT_AT);
    expect(tryDecode(withChecksum(batch))).toMatchObject({ code: 'CORRUPT_BATCH' });
  });
});
