/** Records without a key and a partition: they fill one partition's batch after the other. */
import { expect } from 'vitest';
import { readPartition, test } from '../client-fixture.ts';

const values = Array.from({ length: 40 }, (_, index) => `kéy-${index}`);

test('records without a key stay together in a batch and move on with the next', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 5 });
  await using producer = millrace.producer();
  const partitions: number[] = [];
  for (let round = 0; round < 10; round++) {
    const sent = await Promise.all(values.map((value) => producer.send('orders', { value })));
    expect(new Set(sent.map(({ partition }) => partition)).size).toBe(1);
    partitions.push(sent[0]?.partition ?? NaN);
  }
  for (let round = 1; round < 10; round++) expect(partitions[round]).not.toBe(partitions[round - 1]);
  const stored = await Promise.all(
    [0, 1, 2, 3, 4].map((partition) => readPartition(ioredis, redis.prefix, 'orders', partition)),
  );
  expect(stored.flatMap(({ batches }) => batches)).toEqual(Array.from({ length: 10 }, () => 40));
});

test('the record that finds their batch full moves on with it', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 50 });
  for (const limit of [{ maxBatchRecords: 10 }, { maxBatchBytes: 300 }]) {
    await using producer = millrace.producer(limit);
    const records = Array.from({ length: 100 }, (_, index) => ({ value: `${index} of a hundred` }));
    expect((await producer.sendBatch('orders', records)).reduce((sum, { count }) => sum + count, 0)).toBe(
      100,
    );
    const stored = await Promise.all(
      Array.from({ length: 50 }, (_, partition) => readPartition(ioredis, redis.prefix, 'orders', partition)),
    );
    // But for the last batch none is small, in which one would have stayed behind.
    const sizes = stored.flatMap(({ batches }) => batches).toSorted((a, b) => a - b);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(100);
    expect(sizes[1]).toBeGreaterThanOrEqual(10);
    await millrace.admin.deleteTopic('orders');
    await millrace.admin.createTopic('orders', { partitions: 50 });
  }
});

test('a record that fits no batch finds theirs full: what came before it is stored', async ({ millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 2 });
  await using producer = millrace.producer({ maxBatchRecords: 3 });
  const before = Array.from({ length: 3 }, (_, index) => ({ value: `${index}` }));
  const tooLong = { value: 'x', headers: Object.fromEntries([['h', Buffer.alloc(1_100_000)]]) };
  await expect(producer.sendBatch('orders', [...before, tooLong])).rejects.toMatchObject({
    code: 'RECORD_TOO_LARGE',
  });
  await producer.flush();
  const { partitions } = await millrace.admin.describeTopic('orders');
  expect([0, 3]).toContain(partitions.reduce((sum, { logEnd }) => sum + logEnd, 0));
  expect(await producer.send('orders', { value: 'after' })).toMatchObject({ topic: 'orders' });
});
