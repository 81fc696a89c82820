import type { ReadPosition } from '@millrace/redis';
import { VirtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { Fetcher } from './fetcher.ts';
import type { Lane } from './lane.ts';

const MAX_READ_BYTES = 2 * 1_048_576;

/** Of a partition that was read to its end, in entries of `entryBytes`. */
function laneAtEnd(partition: number, entryBytes: number): Lane {
  const lane: Partial<Record<keyof Lane, unknown>> = {
    topic: 'orders',
    partition,
    key: `orders/${partition}`,
    version: 0,
    wantsFetch: true,
    isAtEnd: true,
    isAtBatchStart: true,
    fetchPosition: 0,
    bufferedBytes: 0,
    entryBytes,
    maxReadBytes: 524_288,
    fence: { server: 's' },
  };
  return lane as unknown as Lane;
}

/** What the first read of these lanes asks for. */
async function firstRead(lanes: readonly Lane[]): Promise<{ lanes: number; maxEntries: number }> {
  const asked = Promise.withResolvers<{ lanes: number; maxEntries: number }>();
  const answered = Promise.withResolvers<never[]>();
  const fetcher = new Fetcher({
    clock: new VirtualClock(),
    lanes: () => lanes,
    read: (positions: readonly ReadPosition[], maxEntries) => {
      asked.resolve({ lanes: positions.length, maxEntries });
      return answered.promise;
    },
    unblock: () => Promise.resolve(),
    maxReadBytes: () => MAX_READ_BYTES,
    isFull: () => false,
    onTransportFailure: () => {},
  });
  fetcher.start();
  const read = await asked.promise;
  const closed = fetcher.close();
  answered.resolve([]);
  await closed;
  return read;
}

// Nobody could read for a while, and all of them have a backlog that nobody knows of.
test.for([128, 1_024])('what %i partitions at their ends bring at once is bounded', async (count) => {
  const entryBytes = 1_024;
  const read = await firstRead(Array.from({ length: count }, (_, number) => laneAtEnd(number, entryBytes)));
  expect(read.lanes).toBe(count);
  expect(read.lanes * read.maxEntries * entryBytes).toBeLessThanOrEqual(8 * MAX_READ_BYTES);
});

test('a few partitions at their ends are asked for many entries', async () => {
  const read = await firstRead(Array.from({ length: 16 }, (_, number) => laneAtEnd(number, 1_024)));
  expect(read).toEqual({ lanes: 16, maxEntries: 256 });
});

test('partitions at their ends are asked along with a backlog now and then, not with each of its reads', async () => {
  const clock = new VirtualClock();
  const backlog = Object.defineProperty(laneAtEnd(0, 1_024), 'isAtEnd', { get: () => false, set: () => {} });
  const lanes = [backlog, laneAtEnd(1, 1_024), laneAtEnd(2, 1_024)];
  const asked: number[] = [];
  const done = Promise.withResolvers<void>();
  const fetcher = new Fetcher({
    clock,
    lanes: () => lanes,
    read: async (positions: readonly ReadPosition[]) => {
      asked.push(positions.length);
      if (asked.length === 3) await clock.advance(5);
      if (asked.length === 5) done.resolve();
      return [];
    },
    unblock: () => Promise.resolve(),
    maxReadBytes: () => MAX_READ_BYTES,
    isFull: () => false,
    onTransportFailure: () => {},
  });
  fetcher.start();
  await done.promise;
  await fetcher.close();
  expect(asked.slice(0, 5)).toEqual([3, 1, 1, 3, 1]);
});
