import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeBatch, recordCount, storedChecksum } from './batch-decoder.ts';
import { encodeBatch } from './batch-encoder.ts';
import { ATTRIBUTES_AT, CRC_AT, HEADER_BYTES } from './batch-format.ts';

const RECORD = { key: 'k', value: 'v', timestampMs: 1_700_000_000_000 };

describe('decodeBatch', () => {
  test('names a version that it does not know', () => {
    const batch = encodeBatch([RECORD]);
    batch[0] = 7;
    expect(() => decodeBatch(batch, 0, 'the batch at offset 12 of orders/3')).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_BATCH_VERSION',
        message: expect.stringMatching(
          /^the batch at offset 12 of orders\/3 has version 7, .*reads version 1/,
        ),
        details: { version: 7, supported: 1 },
      }),
    );
  });

  test('names attributes that it does not know', () => {
    const batch = encodeBatch([RECORD]);
    batch[ATTRIBUTES_AT] = 2;
    batch.writeUInt32BE(crc32(batch.subarray(ATTRIBUTES_AT)), CRC_AT);
    expect(() => decodeBatch(batch)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_BATCH_VERSION',
        details: { version: 1, attributes: 2, supported: 1 },
      }),
    );
  });

  test('says where a corrupt batch lies and nothing of what it holds', () => {
    const batch = encodeBatch([{ ...RECORD, value: 'hunter2' }]);
    batch[batch.length - 2] = 0;
    const attempt = () => decodeBatch(batch, 0, 'the batch at offset 12 of orders/3');
    expect(attempt).toThrow('the batch at offset 12 of orders/3 is corrupt: checksum mismatch');
    expect(attempt).toThrow(expect.objectContaining({ code: 'CORRUPT_BATCH', retryable: false }));
    expect(attempt).not.toThrow('hunter');
  });

  test('copies neither keys nor values', () => {
    const batch = encodeBatch([RECORD]);
    const [record] = decodeBatch(batch);
    expect(record?.key?.buffer).toBe(batch.buffer);
    expect(record?.value?.buffer).toBe(batch.buffer);
  });

  test('gives headers without a prototype', () => {
    const headers = JSON.parse('{"__proto__":"polluted","constructor":"c"}') as Record<string, string>;
    const [record, plain] = decodeBatch(encodeBatch([{ ...RECORD, headers }, RECORD]));
    expect(Object.keys(record?.headers ?? {}).toSorted()).toEqual(['__proto__', 'constructor']);
    expect(String(record?.headers['__proto__'])).toBe('polluted');
    expect(plain?.headers['constructor']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('what the header tells without decoding', () => {
  test('the number of records and the checksum', () => {
    const batch = encodeBatch([RECORD, RECORD, RECORD]);
    expect(recordCount(batch)).toBe(3);
    expect(recordCount(new Uint8Array(batch))).toBe(3);
    expect(storedChecksum(batch)).toBe(crc32(batch.subarray(ATTRIBUTES_AT)));
  });

  test('is 0 where there is no header', () => {
    expect(recordCount(Buffer.alloc(HEADER_BYTES - 1, 0xff))).toBe(0);
    expect(storedChecksum(Buffer.alloc(HEADER_BYTES - 1, 0xff))).toBe(0);
  });
});
