import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PLAIN_CODEC, topic } from '../topic/topic-definition.ts';
import { encodeRecords, type RecordFormat } from './encode-records.ts';
import { PlainRecords } from './plain-records.ts';
import type { ProducerRecord } from './producer.ts';

const plain: RecordFormat = { topic: 'orders', value: PLAIN_CODEC };

const anything = fc.oneof(
  fc.constantFrom(undefined, null, 1.5, -1, 3, NaN, 2 ** 47, new Date(0), { a: 1 }, 'x'.repeat(5_000)),
  fc.string(),
  fc.uint8Array({ maxLength: 5 }),
);
const records = fc.array(
  fc.record(
    {
      key: anything,
      value: anything,
      headers: fc.oneof(anything, fc.dictionary(fc.string({ maxLength: 3 }), anything, { maxKeys: 2 })),
      timestampMs: anything,
      partition: anything,
    },
    { requiredKeys: [] },
  ),
  { minLength: 1, maxLength: 3 },
);
const ordinary = fc.array(
  fc.record(
    {
      key: fc.option(fc.oneof(fc.string(), fc.uint8Array())),
      value: fc.option(fc.oneof(fc.string(), fc.uint8Array())),
      headers: fc.dictionary(fc.string({ maxLength: 3 }), fc.string(), { maxKeys: 2 }),
      timestampMs: fc.nat(),
      partition: fc.nat(),
    },
    { requiredKeys: ['value'] },
  ),
  { minLength: 1, maxLength: 3 },
);

/** As they are read, one after the other. */
function read(given: readonly unknown[]) {
  const found = PlainRecords.of(plain, given as ProducerRecord<unknown>[], 1_000);
  return found === null ? null : Array.from({ length: found.length }, (_, index) => ({ ...found.at(index) }));
}

test('what it takes is what would be encoded', () => {
  fc.assert(
    fc.property(records, (given) => {
      const found = read(given);
      const expected =
        found === null ? null : encodeRecords(plain, given as ProducerRecord<unknown>[], 1_000);
      expect(found).toEqual(expected);
    }),
  );
});

test('it takes what is ordinary, and knows the highest partition', () => {
  fc.assert(
    fc.property(ordinary, (given) => {
      expect(read(given)).toEqual(encodeRecords(plain, given as ProducerRecord<unknown>[], 1_000));
      const highest = Math.max(...given.map(({ partition = -1 }) => partition));
      expect(PlainRecords.of(plain, given, 1_000)?.highestPartition).toBe(highest);
    }),
  );
});

test('one record that is not plain leaves the whole call to the encoding', () => {
  const given = [{ value: 'v' }, { value: { a: 1 } }, { value: 'w' }];
  expect(PlainRecords.of(plain, given, 1_000)).toBeNull();
  expect(PlainRecords.of(plain, [{ value: 'v', partition: 0.5 }], 1_000)).toBeNull();
});

test('a codec or a key function of the topic is asked by the encoding, once', () => {
  const keyed = topic('orders', { key: () => 'k' });
  expect(PlainRecords.of({ topic: 'orders', ...keyed }, [{ value: 'v' }], 1_000)).toBeNull();
  const own = { encode: (value: string) => value, decode: String };
  expect(PlainRecords.of({ topic: 'orders', value: own }, [{ value: 'v' }], 1_000)).toBeNull();
});
