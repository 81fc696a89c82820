import { partitionKey } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AskedLanes } from './asked-lanes.ts';
import type { Lane } from './lane.ts';

/** At its log's end, and taking what comes at its word. */
function laneOf(partition: number): Lane {
  const lane = {
    topic: 'orders',
    partition,
    key: partitionKey('orders', partition),
    version: 0,
    isAtEnd: true,
    isAtBatchStart: false,
    fetchPosition: 0,
    entryBytes: 4_096,
    maxReadBytes: 524_288,
    fence: { server: 's' },
    accept({ nextOffset, bytes }: { nextOffset: number; bytes: Buffer }) {
      lane.fetchPosition = nextOffset;
      lane.entryBytes += (bytes.length - lane.entryBytes) / 8;
    },
  };
  return lane as unknown as Lane;
}

test('asked again, it asks for what one made anew would ask for', () => {
  const entry = fc.record({ partition: fc.nat(4), bytes: fc.integer({ min: 64, max: 65_536 }) });
  fc.assert(
    fc.property(fc.array(fc.array(entry, { maxLength: 6 }), { maxLength: 20 }), (answers) => {
      const lanes = Array.from({ length: 5 }, (_, partition) => laneOf(partition));
      const asked = new AskedLanes(lanes);
      for (const answer of answers) {
        const ends = lanes.map(({ fetchPosition }) => fetchPosition);
        const batches = answer.map(({ partition, bytes }) => {
          const nextOffset = (ends[partition] ?? 0) + 1;
          ends[partition] = nextOffset;
          return {
            partition: partitionKey('orders', partition),
            nextOffset,
            appendedMs: 1,
            bytes: Buffer.alloc(bytes),
          };
        });
        const brought = asked.take(batches, 100);
        expect(brought).toEqual({
          records: answer.length,
          bytes: answer.reduce((sum, { bytes }) => sum + bytes, 0),
        });
        const anew = new AskedLanes(lanes);
        expect(asked.positions).toEqual(anew.positions);
        expect(asked.entriesPerLane(8_388_608, 1_048_576)).toBe(anew.entriesPerLane(8_388_608, 1_048_576));
        expect(asked.areAtEnd).toBe(true);
      }
    }),
  );
});

test('who brought as many entries as one read may bring is not at the end', () => {
  const lanes = [laneOf(0), laneOf(1), laneOf(2)];
  const asked = new AskedLanes(lanes);
  const batch = { appendedMs: 1, bytes: Buffer.alloc(100) };
  asked.take(
    [
      { ...batch, partition: partitionKey('orders', 1), nextOffset: 1 },
      { ...batch, partition: partitionKey('orders', 1), nextOffset: 2 },
      { ...batch, partition: partitionKey('orders', 2), nextOffset: 1 },
    ],
    2,
  );
  expect(lanes.map(({ isAtEnd }) => isAtEnd)).toEqual([true, false, true]);
  expect(asked.areAtEnd).toBe(false);
});

test('entries are counted anew with every answer', () => {
  const asked = new AskedLanes([laneOf(0)]);
  for (const nextOffset of [1, 2, 3])
    asked.take(
      [{ partition: partitionKey('orders', 0), nextOffset, appendedMs: 1, bytes: Buffer.alloc(100) }],
      2,
    );
  expect(asked.areAtEnd).toBe(true);
});
