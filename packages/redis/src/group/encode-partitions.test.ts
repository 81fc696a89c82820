import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePartitionKeys, decodePartitions, encodePartitions } from './encode-partitions.ts';

const byTopic = (topics: Readonly<Record<string, number[]>>): Map<string, number[]> =>
  new Map(Object.entries(topics));

describe('the text', () => {
  test.each([
    ['nothing', {}, ''],
    ['one partition', { orders: [7] }, 'orders:7'],
    ['a run', { orders: [0, 1, 2, 3] }, 'orders:0-3'],
    ['two neighbours', { orders: [4, 5] }, 'orders:4-5'],
    ['single ones', { orders: [1, 3, 5] }, 'orders:1,3,5'],
    ['runs and single ones', { orders: [0, 2, 3, 4, 9, 10] }, 'orders:0,2-4,9-10'],
    ['a run that crosses a power of ten', { orders: [9, 10, 11] }, 'orders:9-11'],
    ['many topics, in the order given', { b: [0], a: [1, 2] }, 'b:0;a:1-2'],
    ['topics that look like partitions', { '0-3': [4], '7': [8] }, '7:8;0-3:4'],
    ['topics with dots, dashes and underscores', { 'a.b-c_d': [0] }, 'a.b-c_d:0'],
  ] as const)('of %s', (_what, topics, text) => {
    const partitions = byTopic(topics as unknown as Record<string, number[]>);
    expect(encodePartitions(partitions)).toBe(text);
    expect(decodePartitions(text)).toEqual(partitions);
  });

  test('leaves out a topic without partitions', () => {
    expect(encodePartitions(byTopic({ empty: [], orders: [1] }))).toBe('orders:1');
  });

  test('of a million partitions in a row is short', () => {
    const all = Array.from({ length: 1_000_000 }, (_, partition) => partition);
    expect(encodePartitions(byTopic({ orders: all }))).toBe('orders:0-999999');
  });
});

test('any partitions of any topics can be read back', () => {
  const topic = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/);
  const partitions = fc
    .uniqueArray(fc.oneof(fc.nat(30), fc.nat(1_000_000)), { minLength: 1, maxLength: 40 })
    .map((list) => list.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(topic, partitions), { selector: ([name]) => name }), (entries) => {
      const assigned = new Map(entries);
      expect(decodePartitions(encodePartitions(assigned))).toEqual(assigned);
    }),
  );
});

test('as keys they are topic, slash and number, in order', () => {
  expect(decodePartitionKeys('orders:0-1,7;audit:3')).toEqual([
    'orders/0',
    'orders/1',
    'orders/7',
    'audit/3',
  ]);
  expect(decodePartitionKeys('')).toEqual([]);
});
