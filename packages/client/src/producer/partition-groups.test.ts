import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_GROUPED, NONE, PartitionGroups } from './partition-groups.ts';

function grouped(groups: PartitionGroups, partitions: readonly number[]): Map<number, number[]> {
  expect(groups.begin()).toBe(true);
  for (const partition of partitions) groups.add(partition);
  expect(groups.length).toBe(partitions.length);
  const found = new Map<number, number[]>();
  for (let group = 0; group < groups.count; group++) {
    const partition = groups.partitionOf(group);
    const records: number[] = [];
    for (let record = groups.firstOf(partition); record !== NONE; record = groups.after(record))
      records.push(record);
    found.set(partition, records);
  }
  groups.end();
  return found;
}

test('every record once, in its order within its partition, whatever was grouped before', () => {
  const groups = new PartitionGroups();
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 200 }), (partitions) => {
      const expected = new Map<number, number[]>();
      for (const [record, partition] of partitions.entries())
        expected.set(partition, [...(expected.get(partition) ?? []), record]);
      expect([...grouped(groups, partitions)]).toEqual([...expected]);
    }),
  );
});

test('as many as it takes, over all partitions that a topic can have', () => {
  const groups = new PartitionGroups();
  const partitions = Array.from({ length: MAX_GROUPED }, (_, index) => (index * 7) % 100_003);
  expect(grouped(groups, partitions).size).toBe(new Set(partitions).size);
});

test('it serves one call at a time', () => {
  const groups = new PartitionGroups();
  expect([groups.begin(), groups.begin()]).toEqual([true, false]);
  groups.end();
  expect(groups.begin()).toBe(true);
});
