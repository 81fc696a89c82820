import fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmur2 } from './murmur2.ts';
import { defaultPartitioner } from './partitioner.ts';

const encoder = new TextEncoder();

// Java: toPositive(murmur2(key)) % partitions, with the published hashes; -973932308 & 0x7fffffff is 1173551340.
test.each([
  ['21', 16, 1173551340 % 16],
  ['21', 7, 1173551340 % 7],
  ['foobar', 12, (-790332482 & 0x7fffffff) % 12],
  ['abc', 100, 479470107 % 100],
])('key %j of %i partitions goes where the Java client sends it', (key, partitions, partition) => {
  expect(defaultPartitioner({ topic: 'orders', key: encoder.encode(key), partitions })).toBe(partition);
});

test('the sign bit is dropped, the hash is not negated', () => {
  // Math.abs would send this key to 973932308 % 7 = 6; Kafka sends it to 1173551340 % 7 = 3.
  expect(murmur2(encoder.encode('21'))).toBe(-973932308);
  expect(defaultPartitioner({ topic: 'orders', key: encoder.encode('21'), partitions: 7 })).toBe(3);
});

test('every key has a partition inside the topic, whatever the topic is called', () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.integer({ min: 1, max: 100_000 }),
      fc.string(),
      (key, partitions, topic) => {
        const partition = defaultPartitioner({ topic, key, partitions });
        expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
        expect(defaultPartitioner({ topic: 'orders', key, partitions })).toBe(partition);
      },
    ),
  );
});

test('keys spread over the partitions', () => {
  const counts = Array.from({ length: 16 }, () => 0);
  for (let key = 0; key < 16_000; key++) {
    const partition = defaultPartitioner({
      topic: 'orders',
      key: encoder.encode(`customer-${key}`),
      partitions: 16,
    });
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  // 1,000 each on average, standard deviation 31: six of them are room for any honest hash.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(190);
});
