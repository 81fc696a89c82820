import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStickyPartitioner } from './sticky-partitioner.ts';

/** The given numbers in turn, over and over. */
function numbers(...values: readonly number[]) {
  let index = 0;
  return { next: () => values[index++ % values.length] ?? 0 };
}

test('stays with a partition until its batch is closed', () => {
  const sticky = createStickyPartitioner(numbers(0.5, 0.9));
  expect([1, 2, 3].map(() => sticky.partitionFor('orders', 8))).toEqual([4, 4, 4]);
  sticky.batchClosed('orders', 4);
  expect(sticky.partitionFor('orders', 8)).toBe(7);
});

test('the batch of another partition changes nothing', () => {
  const sticky = createStickyPartitioner(numbers(0.5, 0.9));
  sticky.partitionFor('orders', 8);
  sticky.batchClosed('orders', 3);
  sticky.batchClosed('payments', 4);
  expect(sticky.partitionFor('orders', 8)).toBe(4);
});

test('topics do not share a choice', () => {
  const sticky = createStickyPartitioner(numbers(0.1, 0.9));
  expect(sticky.partitionFor('orders', 10)).toBe(1);
  expect(sticky.partitionFor('payments', 10)).toBe(9);
  expect(sticky.partitionFor('orders', 10)).toBe(1);
});

test('one partition is the only choice', () => {
  const sticky = createStickyPartitioner(numbers(0.7));
  expect(sticky.partitionFor('orders', 1)).toBe(0);
  sticky.batchClosed('orders', 0);
  expect(sticky.partitionFor('orders', 1)).toBe(0);
});

test('a topic that shrank gets a partition that exists', () => {
  const sticky = createStickyPartitioner(numbers(0.99));
  expect(sticky.partitionFor('orders', 100)).toBe(99);
  expect(sticky.partitionFor('orders', 3)).toBe(2);
});

test('the next partition is another one, and every other one is possible', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 0, max: 11 }), (partitions, seed) => {
      const first = seed % partitions;
      const seen = new Set<number>();
      for (let among = 0; among < partitions - 1; among++) {
        const sticky = createStickyPartitioner(
          numbers((first + 0.5) / partitions, (among + 0.5) / (partitions - 1)),
        );
        expect(sticky.partitionFor('orders', partitions)).toBe(first);
        sticky.batchClosed('orders', first);
        seen.add(sticky.partitionFor('orders', partitions));
      }
      expect(seen.size).toBe(partitions - 1);
      expect(seen.has(first)).toBe(false);
    }),
  );
});
