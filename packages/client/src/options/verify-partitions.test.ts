import { expect, test } from 'vitest';
import { verifyPartition, verifyPartitions } from './verify-partitions.ts';

test('what names a partition is let through', () => {
  const partitions = [
    { topic: 'a', partition: 0 },
    { topic: 'b', partition: 7 },
  ];
  expect(() => verifyPartitions('pause', [])).not.toThrow();
  expect(() => verifyPartitions('pause', partitions)).not.toThrow();
});

test.each<[unknown, string]>([
  ['x', 'pause: it takes a list of partitions, each { topic, partition }, not a string'],
  [undefined, 'not undefined'],
  [{ topic: 'a', partition: 0 }, 'not an object'],
  [[{ topic: 'a', partition: 0 }, undefined], 'not topic undefined, partition undefined'],
  [['a/0'], 'not topic undefined, partition undefined'],
  [[{ topic: 'a' }], 'not topic "a", partition undefined'],
  [[{ topic: 'a', partition: '0' }], 'not topic "a", partition "0"'],
  [[{ topic: 'a', partition: -1 }], 'not topic "a", partition -1'],
  [[{ topic: 5, partition: 0 }], 'not topic 5, partition 0'],
])('%o is refused', (partitions, message) => {
  expect(() => verifyPartitions('pause', partitions as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
  );
});

test('one alone is told by the name of the call', () => {
  expect(() => verifyPartition('seek', null)).toThrow(
    'seek: a partition is { topic, partition }, a name and an integer from 0, not topic undefined, partition undefined',
  );
});
