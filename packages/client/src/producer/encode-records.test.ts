import { inspect } from 'node:util';
import { BatchEncoder } from '@millrace/redis';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAIN_CODEC } from '../topic/topic-definition.ts';
import { atMostRecordBytes, encodeRecords, type EncodedRecord, type RecordFormat } from './encode-records.ts';
import type { ProducerRecord } from './producer.ts';

const plain: RecordFormat = { topic: 'orders', value: PLAIN_CODEC };
const encode = (...records: unknown[]) => encodeRecords(plain, records as ProducerRecord<unknown>[], 1_000);

describe('plain values', () => {
  test.each([
    ['text', 'text'],
    [Buffer.from([1]), Buffer.from([1])],
    [{ a: [1, null] }, '{"a":[1,null]}'],
    [5, '5'],
    [false, 'false'],
    [null, null],
  ])('%o is stored as %o', (value, stored) => {
    expect(encode({ value })).toMatchObject([
      { value: stored, key: null, timestampMs: 1_000, partition: undefined },
    ]);
  });
});

test.each([undefined, null, { value: 'hunter2' }, 5])('%o is no list of records', (records) => {
  expect(() => encodeRecords(plain, records as never, 1_000)).toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(
        /^sendBatch takes a list of records, not (undefined|null|an object|a number)$/,
      ),
    }),
  );
});

test('any iterable is a list of records', () => {
  expect(encodeRecords(plain, new Set([{ value: 'a' }, { value: 'b' }]) as never, 1_000)).toHaveLength(2);
});

const long = 'x'.repeat(5_000);

test.each([
  ['no object', 'hunter2', 'must be an object'],
  ['null', null, 'must be an object'],
  ['no value', { key: 'hunter2' }, 'null is a tombstone'],
  ['an undefined value', { value: undefined }, 'null is a tombstone'],
  ['a value without JSON', { value: { secret: 'hunter2', n: 1n } }, 'no JSON form'],
  ['a key that is a number', { key: 7_777, value: 'v' }, 'key must be text, a Uint8Array or null'],
  ['a header that is null', { value: 'v', headers: { hunter2: null } }, 'a header must be text'],
  ['a header that is a number', { value: 'v', headers: { a: 7_777 } }, 'a header must be text'],
  [
    'headers that are text',
    { value: 'v', headers: 'hunter2' },
    'headers must be an object of names and values',
  ],
  ['headers that are null', { value: 'v', headers: null }, 'its headers must be an object'],
  ['headers in a list', { value: 'v', headers: ['hunter2'] }, 'its headers must be an object'],
  ['headers in a Map', { value: 'v', headers: new Map([['a', 'hunter2']]) }, 'its headers must be an object'],
  ['a fraction of a partition', { value: 'v', partition: 1.5 }, 'partition must be an integer'],
  ['a negative partition', { value: 'v', partition: -1 }, 'partition must be an integer'],
  ['a timestamp that is a date', { value: 'v', timestampMs: new Date() }, 'timestampMs must be an integer'],
  ['a timestamp before 1970', { value: 'v', timestampMs: -1 }, 'timestampMs must be an integer'],
])('%s is refused by what is wrong, without a payload', (_name, record, problem) => {
  let thrown: unknown;
  try {
    void encode({ value: 'fine' }, record);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({
    code: 'INVALID_RECORD',
    message: expect.stringMatching(/^record 1 of 2 for topic "orders": /),
    details: { index: 1 },
  });
  expect((thrown as Error).message).toContain(problem);
  expect(inspect(thrown)).not.toMatch(/hunter2|7777/);
});

test.each([
  ['key', { key: long, value: 'v' }],
  ['record', { value: Buffer.alloc(1_048_577) }],
  ['record', { value: 'é'.repeat(600_000) }],
  ['headers', { value: 'v', headers: { a: long, b: long, c: long, d: long } }],
  [
    '65 headers',
    { value: 'v', headers: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`h${index}`, 'v'])) },
  ],
])('what is too large is named: %s', (what, record) => {
  expect(() => encode(record)).toThrow(
    expect.objectContaining({
      code: 'RECORD_TOO_LARGE',
      message: expect.stringContaining(`record for topic "orders": ${what}`),
    }),
  );
});

test.each([
  ['a key of the largest size', { key: 'é'.repeat(2_048), value: 'v' }],
  ['a value of nearly the largest size', { value: 'x'.repeat(1_048_560) }],
  ['headers of nearly the largest size', { value: 'v', headers: { a: 'x'.repeat(16_000) } }],
])('%s passes', (_name, record) => {
  expect(encode(record)).toHaveLength(1);
});

describe('keys from the topic', () => {
  const format: RecordFormat = { ...plain, key: (value: { id: string }) => value.id };
  const keysOf = (...records: ProducerRecord<unknown>[]) =>
    (encodeRecords(format, records, 0) as { key: unknown }[]).map(({ key }) => key);

  test('are used where the record has none', () => {
    expect(
      keysOf(
        { value: { id: 'a' } },
        { key: 'own', value: { id: 'a' } },
        { key: null, value: { id: 'a' } },
        { value: null },
      ),
    ).toEqual(['a', 'own', null, null]);
  });

  test('a function that throws is an invalid record', () => {
    expect(() =>
      keysOf(
        { value: 5 },
        {
          value: {
            get id(): string {
              throw new Error('no');
            },
          },
        },
      ),
    ).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }));
  });
});

describe('asynchronous validators', () => {
  const asynchronous = (encodeOne: (value: string) => Promise<string>): RecordFormat => ({
    topic: 'orders',
    value: { encode: encodeOne, decode: () => null },
  });

  test('keep the order of the records, whichever is ready first', async () => {
    const releases: (() => void)[] = [];
    const format = asynchronous((value) => new Promise((resolve) => releases.push(() => resolve(value))));
    const encoding = encodeRecords(
      format,
      ['a', 'b', 'c'].map((value) => ({ value })),
      0,
    );
    for (const release of releases.toReversed()) release();
    expect(await encoding).toMatchObject([{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
  });

  test('say which record they refused', async () => {
    const format = asynchronous(async (value) =>
      value === 'bad' ? Promise.reject(new RangeError('hunter2')) : value,
    );
    const encoding = encodeRecords(format, [{ value: 'a' }, { value: 'bad' }, { value: 'c' }], 0);
    await expect(encoding).rejects.toMatchObject({
      code: 'INVALID_RECORD',
      message: 'record 1 of 3 for topic "orders": its codec threw RangeError',
    });
  });

  test('leave no rejection behind when a later record is refused at once', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listen);
    const format = asynchronous(() => Promise.reject(new RangeError('invalid')));
    expect(() => encodeRecords(format, [{ value: 'a' }, { value: undefined }], 0)).toThrow('record 1 of 2');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });
});

test('a codec that gives nothing does not make a tombstone', () => {
  const format: RecordFormat = {
    topic: 'orders',
    value: { encode: () => undefined as never, decode: () => null },
  };
  expect(() => encodeRecords(format, [{ value: 'v' }], 0)).toThrow(
    expect.objectContaining({ code: 'INVALID_RECORD' }),
  );
});

test('a record never takes more in a batch than is reckoned with', () => {
  const bytes = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.uint8Array({ maxLength: 300 }));
  const record = fc.record(
    {
      key: fc.option(bytes),
      value: fc.option(bytes),
      headers: fc.dictionary(fc.string({ maxLength: 20 }), bytes, { maxKeys: 10 }),
      timestampMs: fc.nat(2 ** 47),
    },
    { requiredKeys: ['value'] },
  );
  fc.assert(
    fc.property(record, (given) => {
      const [encoded] = encodeRecords(plain, [given], 1_000) as EncodedRecord[];
      if (encoded === undefined) throw new RangeError('one record is encoded to one');
      const encoder = new BatchEncoder();
      encoder.append({ value: 'the first one has no distance in time', timestampMs: 2 ** 46 });
      const before = encoder.byteLength;
      encoder.append(encoded);
      expect(encoder.byteLength - before).toBeLessThanOrEqual(atMostRecordBytes(encoded));
    }),
  );
});
