import { partitionKey, type StoredBatch } from '@millrace/core';
import type { ReadPosition } from '@millrace/redis';
import { VirtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { Fetcher, type FetcherPort } from './fetcher.ts';
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

/**
 * With room for everything, nothing that fails, and lanes that are looked at before every read, where a test does not say
 * otherwise.
 */
function fetcherOf(port: Pick<FetcherPort, 'lanes' | 'read'> & Partial<FetcherPort>): Fetcher {
  let revision = 0;
  return new Fetcher({
    clock: new VirtualClock(),
    lanesRevision: () => revision++,
    unblock: () => Promise.resolve(),
    maxReadBytes: () => MAX_READ_BYTES,
    isFull: () => false,
    isCrowded: () => false,
    onTransportFailure: () => {},
    ...port,
  });
}

/** So many entries of each partition that was asked for. */
function entriesOf(positions: readonly ReadPosition[], count: number, bytes: number): StoredBatch[] {
  return positions.flatMap(({ topic, partition }) =>
    Array.from({ length: count }, () => ({
      partition: partitionKey(topic, partition),
      nextOffset: 1,
      appendedMs: 1,
      bytes: Buffer.alloc(bytes),
    })),
  );
}

/** What the first read of these lanes asks for. */
async function firstRead(lanes: readonly Lane[]): Promise<{ lanes: number; maxEntries: number }> {
  const asked = Promise.withResolvers<{ lanes: number; maxEntries: number }>();
  const answered = Promise.withResolvers<never[]>();
  const fetcher = fetcherOf({
    lanes: () => lanes,
    read: (positions: readonly ReadPosition[], maxEntries) => {
      asked.resolve({ lanes: positions.length, maxEntries });
      return answered.promise;
    },
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

/** The first reads of these lanes, which bring nothing. `between` comes before the answer to each of them. */
async function firstReads(
  lanes: readonly Lane[],
  count: number,
  clock: VirtualClock,
  between: (reads: number) => Promise<void>,
): Promise<{ lanes: number; maxEntries: number }[]> {
  const asked: { lanes: number; maxEntries: number }[] = [];
  const done = Promise.withResolvers<void>();
  const fetcher = fetcherOf({
    clock,
    lanes: () => lanes,
    read: async (positions: readonly ReadPosition[], maxEntries) => {
      asked.push({ lanes: positions.length, maxEntries });
      await between(asked.length);
      if (asked.length === count) done.resolve();
      return [];
    },
  });
  fetcher.start();
  await done.promise;
  await fetcher.close();
  return asked.slice(0, count);
}

function laneBehind(partition: number, entryBytes: number): Lane {
  const stays = { get: () => false, set: () => {} };
  return Object.defineProperty(laneAtEnd(partition, entryBytes), 'isAtEnd', stays);
}

test('partitions at their ends are asked beside a backlog now and then, not with each of its reads', async () => {
  const clock = new VirtualClock();
  const lanes = [laneBehind(0, 1_024), laneAtEnd(1, 1_024), laneAtEnd(2, 1_024)];
  const asked = await firstReads(lanes, 6, clock, async (reads) => {
    if (reads === 4) await clock.advance(5);
  });
  expect(asked.map((read) => read.lanes)).toEqual([1, 2, 1, 1, 1, 2]);
});

test('however many partitions are asked beside it, a backlog is read in large pieces', async () => {
  const lanes = [laneBehind(0, 65_536), ...Array.from({ length: 128 }, (_, at) => laneAtEnd(at + 1, 65_536))];
  const asked = await firstReads(lanes, 3, new VirtualClock(), () => Promise.resolve());
  expect(asked[0]).toEqual({ lanes: 1, maxEntries: 8 });
  expect(asked[1]?.lanes).toBe(64);
  expect(asked[2]).toEqual(asked[0]);
});

test('of many partitions with a backlog each is read once before one is read again', async () => {
  const lanes = Array.from({ length: 5 }, (_, number) => laneBehind(number, 1_048_576));
  const asked: number[] = [];
  const done = Promise.withResolvers<void>();
  const fetcher = fetcherOf({
    lanes: () => lanes,
    read: (positions: readonly ReadPosition[]) => {
      asked.push(...positions.map(({ partition }) => partition));
      if (asked.length >= 10) done.resolve();
      return Promise.resolve([]);
    },
  });
  fetcher.start();
  await done.promise;
  await fetcher.close();
  expect(asked.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
});

test('more partitions are read at once where each has little, and few again as soon as one is cut off', async () => {
  const ENTRY_BYTES = 65_536;
  const lanes = Array.from({ length: 256 }, (_, number) =>
    Object.assign(laneAtEnd(number, ENTRY_BYTES), { isAtEnd: false, accept: () => {} }),
  );
  const asked: { lanes: number; maxEntries: number }[] = [];
  const done = Promise.withResolvers<void>();
  const fetcher = fetcherOf({
    lanes: () => lanes,
    read: (positions: readonly ReadPosition[], maxEntries) => {
      asked.push({ lanes: positions.length, maxEntries });
      if (asked.length === 80) done.resolve();
      for (const lane of lanes) lane.isAtEnd = false;
      return Promise.resolve(entriesOf(positions, asked.length <= 60 ? 2 : maxEntries, ENTRY_BYTES));
    },
  });
  fetcher.start();
  await done.promise;
  await fetcher.close();
  expect(asked[0]).toEqual({ lanes: 4, maxEntries: 8 });
  expect(asked[59]?.lanes).toBeGreaterThan(8);
  expect(asked[79]?.lanes).toBe(4);
  for (const read of asked)
    expect(read.lanes * read.maxEntries * ENTRY_BYTES).toBeLessThanOrEqual(1.5 * MAX_READ_BYTES);
});

test('where one of two reads fails, nothing is asked for again, and nothing closed, before the other has ended', async () => {
  const clock = new VirtualClock();
  const answered = Promise.withResolvers<never[]>();
  const asked: number[] = [];
  const failures: unknown[] = [];
  const fetcher = fetcherOf({
    clock,
    lanes: () => [laneBehind(0, 1_024), laneAtEnd(1, 1_024)],
    read: ([position]: readonly ReadPosition[]) => {
      asked.push(position?.partition ?? -1);
      return position?.partition === 0 ? Promise.reject(new Error('refused')) : answered.promise;
    },
    onTransportFailure: (error) => failures.push(error),
  });
  fetcher.start();
  for (let again = 0; again < 5; again++) await clock.advance(100);
  expect(asked).toEqual([0, 1]);
  let isClosed = false;
  const closed = fetcher.close().then(() => {
    isClosed = true;
  });
  await clock.advance(1_000);
  expect(isClosed).toBe(false);
  answered.resolve([]);
  await closed;
  expect(asked).toEqual([0, 1]);
  expect(failures).toEqual([]);
});

test('however long nothing came, few partitions are read again soon after each has much', async () => {
  const ENTRY_BYTES = 1_024;
  const lanes = Array.from({ length: 64 }, (_, number) =>
    Object.assign(laneAtEnd(number, ENTRY_BYTES), { isAtEnd: false, accept: () => {} }),
  );
  const asked: number[] = [];
  const done = Promise.withResolvers<void>();
  const fetcher = fetcherOf({
    lanes: () => lanes,
    read: (positions: readonly ReadPosition[], maxEntries) => {
      asked.push(positions.length);
      if (asked.length === 520) done.resolve();
      for (const lane of lanes) lane.isAtEnd = false;
      return Promise.resolve(entriesOf(positions, asked.length <= 500 ? 0 : maxEntries, ENTRY_BYTES));
    },
  });
  fetcher.start();
  await done.promise;
  await fetcher.close();
  expect(Math.max(...asked.slice(0, 500))).toBeGreaterThan(32);
  expect(asked.slice(510)).toEqual(Array.from({ length: 10 }, () => 8));
});

test('with slow handlers every partition has something, and all of them together little', async () => {
  const [entryBytes, readBytes, crowdedBytes] = [4_096, 65_536, 262_144];
  let total = 0;
  const clock = new VirtualClock();
  const lanes = Array.from({ length: 256 }, (_, partition) => {
    let buffered = 0;
    return Object.defineProperties(laneBehind(partition, entryBytes), {
      bufferedBytes: { get: () => buffered },
      accept: {
        value: (batch: StoredBatch) => {
          buffered += batch.bytes.length;
          total += batch.bytes.length;
        },
      },
    });
  });
  const fetcher = fetcherOf({
    clock,
    lanes: () => lanes,
    read: (positions: readonly ReadPosition[], maxEntries) =>
      Promise.resolve(entriesOf(positions, maxEntries, entryBytes)),
    maxReadBytes: () => readBytes,
    isFull: () => total >= readBytes,
    isCrowded: () => total >= crowdedBytes,
  });
  fetcher.start();
  for (let ms = 0; lanes.some(({ bufferedBytes }) => bufferedBytes === 0); ms++) {
    expect(ms).toBeLessThan(10_000);
    await clock.advance(1);
  }
  await fetcher.close();
  expect(total).toBeLessThanOrEqual(crowdedBytes + 2 * readBytes + lanes.length * entryBytes);
});

test('a read that has to end early is not the one after it, also where nothing has changed between them', async () => {
  const clock = new VirtualClock();
  const lane = Object.assign(laneAtEnd(0, 1_024), { accept: () => {} });
  const reads: PromiseWithResolvers<readonly StoredBatch[]>[] = [];
  let unblocks = 0;
  const fetcher = fetcherOf({
    clock,
    lanes: () => [lane],
    lanesRevision: () => 1,
    read: () => {
      const read = Promise.withResolvers<readonly StoredBatch[]>();
      reads.push(read);
      return read.promise;
    },
    unblock: () => {
      unblocks++;
      reads[0]?.resolve(entriesOf([{ topic: 'orders', partition: 0, offset: 0 }], 1, 100));
      return Promise.resolve();
    },
  });
  fetcher.start();
  await clock.advance(1);
  fetcher.notify(laneAtEnd(1, 1_024));
  await clock.advance(1_000);
  expect(reads).toHaveLength(2);
  expect(unblocks).toBe(1);
  reads[1]?.resolve([]);
  await fetcher.close();
});
