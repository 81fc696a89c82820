import { createKeys, encodeBatch, openNodeReader, readBatches, type ReaderConnection } from '@millrace/redis';
import { eventually } from '@millrace/testkit';
import { test as redisTest } from '@millrace/testkit/vitest';
import { expect } from 'vitest';
import { systemClock } from '../clock/system-clock.ts';
import { NodeReaders, type Read } from './node-readers.ts';

/** Longer than any test: what comes earlier was woken. */
const BLOCK_MS = 60_000;

interface Node {
  readonly readers: NodeReaders;
  /** Connections that were opened, first the oldest. */
  readonly opened: ReaderConnection[];
  /** Reads the log of that slot. */
  readonly read: (slot: number) => Read;
  /** Writes the first record there. */
  readonly append: (slot: number) => Promise<void>;
}

const SLOTS = Array.from({ length: 9 }, (_, slot) => slot);

/** One node with two connections that may wait. */
const test = redisTest.extend<{ node: Node }>({
  node: async ({ redis, ioredis }, use) => {
    const opened: ReaderConnection[] = [];
    const keys = createKeys(redis.prefix);
    const { hostname: host, port } = new URL(redis.url);
    const open = async (): Promise<ReaderConnection> => {
      const connection = await openNodeReader(
        { kind: 'cluster', seeds: [redis.url], connectTimeoutMs: 5_000 },
        { host, port: Number(port) },
        keys,
        `${redis.prefix}:reader`,
      );
      opened.push(connection);
      return connection;
    };
    const readers = new NodeReaders({ clock: systemClock, open }, 2);
    const read =
      (slot: number): Read =>
      (connection, blockMs) =>
        readBatches(connection, [{ topic: 'orders', partition: slot, offset: 0 }], {
          maxEntries: 1,
          blockMs,
        });
    const append = async (slot: number): Promise<void> => {
      const batch = encodeBatch([{ value: 'v', timestampMs: 1_700_000_000_000 }]);
      await ioredis.xadd(keys.partition('orders', slot).log, '0-1', 't', '1', 'b', batch);
    };
    await use({ readers, opened, read, append });
    await readers.close();
    await redis.clear();
  },
});

test('more slots than connections: none is passed over, and the last record ends the last wait', async ({
  node,
  redis,
  ioredis,
}) => {
  const { readers, read, append, opened } = node;
  const blocked = async (): Promise<number> =>
    String(await ioredis.client('LIST'))
      .split('\n')
      .filter((line) => line.includes(`name=${redis.prefix}:reader `) && line.includes('cmd=xread ')).length;
  const first = SLOTS.slice(0, 2).map((slot) => readers.readBlocked(slot, BLOCK_MS, read(slot)));
  await eventually(async () => (await blocked()) === 2);
  const waits = [...first, ...SLOTS.slice(2).map((slot) => readers.readBlocked(slot, BLOCK_MS, read(slot)))];
  for (const slot of [8, 0, 4, 2, 6, 1, 7, 5, 3]) {
    await append(slot);
    expect(await waits[slot]).toMatchObject([{ partition: `orders/${slot}` }]);
  }
  // Two that wait, and the one that ends their waits.
  expect(opened).toHaveLength(3);
});

test('what does not wait goes past those that do', async ({ node }) => {
  const { readers, read, append } = node;
  const waits = SLOTS.map((slot) => readers.readBlocked(slot, BLOCK_MS, read(slot)));
  expect(await readers.readNow(read(100))).toEqual([]);
  await append(100);
  expect(await readers.readNow(read(100))).toHaveLength(1);
  await Promise.all(SLOTS.map((slot) => readers.unblock(slot)));
  await Promise.all(waits);
});

test('unblock ends a wait with a connection and one without, with nothing', async ({ node }) => {
  const { readers, read } = node;
  const waits = SLOTS.map((slot) => readers.readBlocked(slot, BLOCK_MS, read(slot)));
  for (const slot of SLOTS) {
    let isOver = false;
    const over = waits[slot]?.then((batches) => {
      isOver = true;
      return batches;
    });
    // As the fetcher does it: the command may overtake the read.
    await eventually(
      async () => {
        await readers.unblock(slot);
        return isOver;
      },
      { intervalMs: 1 },
    );
    expect(await over).toEqual([]);
  }
});

test('a connection that is lost fails its own wait, and another takes its place', async ({ node }) => {
  const { readers, read, append, opened } = node;
  const waits = SLOTS.map((slot) =>
    readers.readBlocked(slot, BLOCK_MS, read(slot)).then(
      (batches) => batches.length,
      () => 'lost',
    ),
  );
  await eventually(() => opened.length >= 2);
  for (const connection of opened) connection.disconnect();
  await eventually(() => opened.length >= 4);
  for (const slot of SLOTS) await append(slot);
  const results = await Promise.all(waits);
  const lost = results.filter((result) => result === 'lost').length;
  expect(lost).toBeLessThanOrEqual(2);
  expect(results.filter((result) => result === 1)).toHaveLength(SLOTS.length - lost);
});

test('one that is lost takes along what was idle beside it, once for all that are lost', async ({ node }) => {
  const { readers, read, opened } = node;
  await readers.readNow(read(100));
  const [shared] = opened;
  const waits: Promise<unknown>[] = [];
  for (const slot of [0, 1]) {
    waits.push(readers.readBlocked(slot, BLOCK_MS, read(slot)).catch(() => 'lost'));
    await eventually(() => opened.length === slot + 2);
  }
  opened[1]?.disconnect();
  expect(await waits[0]).toBe('lost');
  await eventually(() => shared?.isUsable === false);
  await readers.readNow(read(100));
  expect(opened).toHaveLength(4);
  opened[2]?.disconnect();
  expect(await waits[1]).toBe('lost');
  await readers.readNow(read(100));
  expect(opened).toHaveLength(4);
});

test('close ends every wait', async ({ node }) => {
  const { readers, read } = node;
  const waits = SLOTS.map((slot) => readers.readBlocked(slot, BLOCK_MS, read(slot)).catch(() => 'lost'));
  await readers.close();
  expect(await Promise.all(waits)).toHaveLength(SLOTS.length);
});

test('one whose id is not known yet is closed with the others', async () => {
  const known = Promise.withResolvers<void>();
  let hasClosed = false;
  const silent = {
    untilKnown: () => known.promise,
    onceEnded: () => {},
    disconnect: () => {},
    close: async () => {
      hasClosed = true;
      known.reject(new Error('Connection is closed.'));
    },
  };
  const open = (): Promise<ReaderConnection> => Promise.resolve(silent as unknown as ReaderConnection);
  const readers = new NodeReaders({ clock: systemClock, open }, 1);
  const reading = readers.readBlocked(0, BLOCK_MS, () => Promise.resolve([])).catch(() => 'closed');
  await new Promise((resolve) => setImmediate(resolve));
  await readers.close();
  expect(hasClosed).toBe(true);
  expect(await reading).toBe('closed');
});
