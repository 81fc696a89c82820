import { startRedis } from '@millrace/testkit';
import { expect, vi } from 'vitest';
import { connect } from '../../src/index.ts';
import { openVirtualProducer, readPartition, test } from '../client-fixture.ts';

const values = (count: number): string[] => Array.from({ length: count }, (_, index) => `v${index}`);

test('a lone send is stored at once and says where', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using producer = millrace.producer();
  const headers = { trace: 'abc', raw: Buffer.from([1, 2]) };
  const metadata = await producer.send('orders', {
    key: 'k',
    value: { amount: 1 },
    headers,
    timestampMs: 1_234,
  });
  expect(metadata).toEqual({ topic: 'orders', partition: 0, offset: 0, appendedMs: expect.any(Number) });
  const { records } = await readPartition(ioredis, redis.prefix, 'orders', 0);
  expect(records).toMatchObject([{ offset: 0, key: 'k', value: '{"amount":1}' }]);
  expect(records[0]?.record.timestampMs).toBe(1_234);
  expect(records[0]?.record.headers).toEqual(
    Object.assign(Object.create(null), { trace: Buffer.from('abc'), raw: Buffer.from([1, 2]) }),
  );
});

test('what is sent in one turn of the event loop shares a batch, and each send gets its own offset', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using producer = millrace.producer();
  await producer.send('orders', { value: 'first' });
  const sent = await Promise.all(values(50).map((value) => producer.send('orders', { value })));
  expect(sent.map(({ offset }) => offset)).toEqual(values(50).map((_, index) => index + 1));
  const { batches, records } = await readPartition(ioredis, redis.prefix, 'orders', 0);
  expect(batches).toEqual([1, 50]);
  expect(records.map(({ value }) => value)).toEqual(['first', ...values(50)]);
});

test('callers that are woken by one reply share the next batch, through any number of awaits', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using producer = millrace.producer();
  await producer.send('orders', { value: 'warm' });
  const caller = async (depth: number): Promise<void> => {
    for (let round = 0; round < 3; round++) {
      await producer.send('orders', { value: `${round}` });
      for (let hop = 0; hop < depth; hop++) await Promise.resolve();
    }
  };
  await Promise.all(values(20).map((_, index) => caller(index)));
  const { batches } = await readPartition(ioredis, redis.prefix, 'orders', 0);
  expect(batches).toEqual([1, 20, 20, 20]);
});

test('what arrives while a batch is under way becomes the next one', async () => {
  // A server of its own, because it is frozen: the first batch is under way for as long.
  await using server = await startRedis();
  await using millrace = await connect(server.url);
  await millrace.admin.createTopic('orders', { partitions: 1 });
  const producer = millrace.producer();
  await producer.send('orders', { value: 'warm' });
  await server.signal('SIGSTOP');
  const sent = [producer.send('orders', { value: 'a' })];
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    sent.push(producer.send('orders', { value: `b${turn}` }));
  }
  await server.signal('SIGCONT');
  await Promise.all(sent);
  await using reader = await openVirtualProducer({ url: server.url, prefix: 'millrace' });
  const { batches } = await readPartition(reader.context.command, 'millrace', 'orders', 0);
  expect(batches).toEqual([1, 1, 5]);
});

test('what arrives while many partitions wait for their turn goes with what waits, the oldest first', async () => {
  await using server = await startRedis();
  await using millrace = await connect(server.url);
  await millrace.admin.createTopic('orders', { partitions: 64 });
  const producer = millrace.producer();
  await producer.send('orders', { value: 'warm', partition: 0 });
  await server.signal('SIGSTOP');
  const sent: Promise<unknown>[] = [];
  for (const value of ['a', 'b']) {
    for (let partition = 0; partition < 64; partition++)
      sent.push(producer.send('orders', { value, partition }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await server.signal('SIGCONT');
  await Promise.all(sent);
  await using reader = await openVirtualProducer({ url: server.url, prefix: 'millrace' });
  const inTwo: number[] = [];
  for (let partition = 1; partition < 64; partition++) {
    const { batches, records } = await readPartition(reader.context.command, 'millrace', 'orders', partition);
    expect(records.map(({ value }) => value)).toEqual(['a', 'b']);
    if (batches.length > 1) inTwo.push(partition);
  }
  // Those that were under way when the second record came; the others had not left yet.
  expect(inTwo.length).toBeLessThan(8);
  expect(inTwo).toEqual(inTwo.map((_, index) => index + 1));
});

test('a batch that is full by now waits for no answer, unless an older one waits for its turn', async () => {
  await using server = await startRedis();
  await using millrace = await connect(server.url);
  await millrace.admin.createTopic('orders', { partitions: 16 });
  await using virtual = await openVirtualProducer(
    { url: server.url, prefix: 'millrace' },
    { maxBatchBytes: 100_000 },
  );
  const { producer, context } = virtual;
  // With the first answer the window looks for the shortest time, with the second it has found it.
  for (let count = 0; count < 2; count++) await producer.send('orders', { value: 'warm', partition: 0 });
  await server.signal('SIGSTOP');
  const sends = vi.spyOn(context.command, 'sendCommand');
  const sent: Promise<unknown>[] = [];
  const large = Buffer.alloc(90_000);
  const send = async (partition: number, ...values: (string | Buffer)[]): Promise<number> => {
    for (const value of values) sent.push(producer.send('orders', { value, partition }));
    // Due at the end of the first turn.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    return sends.mock.calls.length;
  };
  const counts: number[] = [];
  for (let partition = 0; partition < 8; partition++) counts.push(await send(partition, large));
  counts.push(await send(8, 'may grow'), await send(8, large, large));
  counts.push(await send(9, 'may grow, and is older'), await send(10, large, large));
  counts.push(await send(9, large, large));
  await server.signal('SIGCONT');
  expect(await Promise.all(sent)).toHaveLength(8 + 3 + 3 + 2);
  expect(counts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9, 9, 11]);
});

test('lingers for company, and not longer', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using virtual = await openVirtualProducer(redis, { lingerMs: 50 });
  const { producer, clock } = virtual;
  const early = [producer.send('orders', { value: 'a' }), producer.send('orders', { value: 'b' })];
  // The topic has to be looked up first; the batch is open once a timer runs for it.
  await expect.poll(() => clock.pendingTimers).toBeGreaterThan(1);
  await clock.advance(49);
  early.push(producer.send('orders', { value: 'c' }));
  expect((await readPartition(ioredis, redis.prefix, 'orders', 0)).batches).toEqual([]);
  await clock.advance(1);
  await Promise.all(early);
  expect((await readPartition(ioredis, redis.prefix, 'orders', 0)).batches).toEqual([3]);
});

test('flush sends what lingers and waits for it', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 4 });
  await using virtual = await openVirtualProducer(redis, { lingerMs: 60_000, deliveryTimeoutMs: 120_000 });
  const sent = values(40).map((value) => virtual.producer.send('orders', { key: value, value }));
  await virtual.producer.flush();
  const partitions = await Promise.all(
    [0, 1, 2, 3].map((partition) => readPartition(ioredis, redis.prefix, 'orders', partition)),
  );
  expect(partitions.flatMap(({ records }) => records)).toHaveLength(40);
  expect(await Promise.all(sent)).toHaveLength(40);
  await virtual.producer.flush();
});

test('a batch ends at its limits', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using byCount = millrace.producer({ maxBatchRecords: 10 });
  await byCount.sendBatch(
    'orders',
    values(25).map((value) => ({ value })),
  );
  await using bySize = millrace.producer({ maxBatchBytes: 1_000 });
  await bySize.sendBatch(
    'orders',
    values(8).map(() => ({ value: 'x'.repeat(300) })),
  );
  await bySize.send('orders', { value: 'y'.repeat(5_000) });
  expect((await readPartition(ioredis, redis.prefix, 'orders', 0)).batches).toEqual([10, 10, 5, 3, 3, 2, 1]);
});

test('a record of the largest size, and many of them', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('blobs', { partitions: 1 });
  await using producer = millrace.producer();
  const value = Buffer.alloc(1_048_576 - 8, 7);
  const ranges = await producer.sendBatch('blobs', [{ value }, { value }, { value }]);
  expect(ranges.map(({ baseOffset, count }) => [baseOffset, count])).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
  ]);
  const { records } = await readPartition(ioredis, redis.prefix, 'blobs', 0);
  expect(records.map(({ record }) => record.value?.equals(value))).toEqual([true, true, true]);
});

test('sendBatch tells for each partition what lies where', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 3 });
  await using producer = millrace.producer();
  await producer.send('orders', { partition: 1, value: 'before' });
  const records = values(30).map((value, index) => ({ value, partition: index % 3 }));
  const ranges = await producer.sendBatch('orders', records);
  expect(ranges.map(({ partition, baseOffset, count }) => ({ partition, baseOffset, count }))).toEqual([
    { partition: 0, baseOffset: 0, count: 10 },
    { partition: 1, baseOffset: 1, count: 10 },
    { partition: 2, baseOffset: 0, count: 10 },
  ]);
  const stored = await readPartition(ioredis, redis.prefix, 'orders', 2);
  expect(stored.records.map(({ value }) => value)).toEqual(values(30).filter((_, index) => index % 3 === 2));
  expect(await producer.sendBatch('orders', [])).toEqual([]);
});

test('batches that lie where acknowledged ones lay are stored as they were sent', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 2 });
  await using producer = millrace.producer({ maxBatchBytes: 20_000 });
  const sent: string[][] = [[], []];
  for (let round = 0; round < 10; round++) {
    const records = Array.from({ length: 200 }, (_, index) => ({
      partition: index % 2,
      value: `${round}:${index}:`.padEnd(200 + round, String(round)),
    }));
    for (const { partition, value } of records) sent[partition]?.push(value);
    await producer.sendBatch('orders', records);
  }
  for (const [partition, expected] of sent.entries()) {
    const { records } = await readPartition(ioredis, redis.prefix, 'orders', partition);
    expect(records.map(({ value }) => value)).toEqual(expected);
  }
});
