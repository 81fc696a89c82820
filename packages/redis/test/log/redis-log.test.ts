import { encodeBatch } from '@millrace/redis';
import { startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import { createKeys, RedisLog, RedisTopicStore } from '../../src/index.ts';
import { appendRequest, recordOf, test } from './log-fixture.ts';

describe('append', () => {
  test('refuses a count that is not that of the batch', async ({ logs }) => {
    const request = { ...appendRequest({ values: ['a', 'b'] }), recordCount: 3 };
    await expect(logs.log.append(request)).rejects.toMatchObject({
      code: 'INVALID_RECORD',
      message: expect.stringContaining('recordCount is 3, but the batch holds 2'),
    });
    expect((await logs.log.describe('orders', 0))?.end).toBe(0);
  });

  test('takes a view of a larger array for what it is', async ({ logs }) => {
    const batch = encodeBatch([recordOf('a')]);
    const larger = new Uint8Array(batch.length + 20);
    larger.set(batch, 10);
    await logs.log.append({ ...appendRequest(), batch: larger.subarray(10, 10 + batch.length) });
    const entries = await logs.ioredis.xrangeBuffer(logs.keys.partition('orders', 0).log, '-', '+');
    expect(entries[0]?.[1][3]).toEqual(batch);
  });
});

describe('what is known of a log', () => {
  test('is its start, its end and its incarnation', async ({ logs }) => {
    const incarnation = (await logs.topics.describe('orders'))?.incarnation;
    expect(await logs.log.describe('orders', 0)).toEqual({ start: 0, end: 0, bytes: 0, incarnation });
    await logs.append('a', 'b');
    expect(await logs.log.describe('orders', 0)).toEqual({
      start: 0,
      end: 2,
      bytes: expect.any(Number),
      incarnation,
    });
  });

  test('is null where there is no such partition', async ({ logs }) => {
    expect(await logs.log.describe('orders', 1)).toBeNull();
    expect(await logs.log.describe('payments', 0)).toBeNull();
  });

  test('of many leaves out those that do not exist', async ({ logs }) => {
    await logs.topics.addPartitions('orders', 2500);
    await logs.append('a', 'b', 'c');
    const names = Array.from({ length: 2600 }, (_, partition) => ({ topic: 'orders', partition }));
    const descriptions = await logs.log.describeMany(names);
    expect(descriptions.size).toBe(2500);
    expect(descriptions.get('orders/0')?.end).toBe(3);
    expect(descriptions.get('orders/2499')?.end).toBe(0);
    expect(descriptions.has('orders/2500')).toBe(false);
    expect((await logs.log.describeMany([])).size).toBe(0);
    await logs.topics.delete('orders');
  });
});

test('with memory full appends are refused, and topics can be deleted', async () => {
  await using server = await startRedis({
    directives: { appendonly: 'no', 'maxmemory-policy': 'noeviction' },
  });
  const redis = new Redis(server.url);
  try {
    const keys = createKeys('full');
    const [log, topics] = [new RedisLog(redis, keys), new RedisTopicStore(redis, keys)];
    await topics.create('orders', 1);
    await log.append(appendRequest());
    await redis.config('SET', 'maxmemory', '1');
    await expect(log.append(appendRequest({ sequence: 1 }))).rejects.toThrow(/OOM/);
    expect(await log.describe('orders', 0)).toMatchObject({ end: 1 });
    expect(await topics.delete('orders')).toBe('DELETED');
    expect(await redis.dbsize()).toBe(0);
  } finally {
    redis.disconnect();
  }
});
