import { MAX_PARTITIONS } from '@millrace/redis';
import { describe, expect } from 'vitest';
import { encodeEntry, type CatalogueEntry } from '../../src/topics/catalogue-entry.ts';
import { createPartition } from '../../src/topics/topic-scripts.ts';
import { appendRequest, test, type LogFixture } from '../log/log-fixture.ts';

const ENTRY: CatalogueEntry = { partitions: 2, createdAtMs: 1, incarnation: '2-x', state: 'creating' };

/** As if a caller had died after writing this. */
async function writeEntry(logs: LogFixture, entry: Partial<CatalogueEntry>): Promise<void> {
  await logs.ioredis.hset(logs.keys.topics, 'payments', encodeEntry({ ...ENTRY, ...entry }));
}

async function incarnations(logs: LogFixture, partitions: number): Promise<(string | undefined)[]> {
  const names = Array.from({ length: partitions }, (_, partition) => ({ topic: 'payments', partition }));
  const described = await logs.log.describeMany(names);
  return names.map(({ partition }) => described.get(`payments/${partition}`)?.incarnation);
}

describe('create', () => {
  test('makes empty partitions and an entry', async ({ logs }) => {
    expect(await logs.topics.create('payments', 3)).toEqual({ status: 'CREATED' });
    const description = await logs.topics.describe('payments');
    expect(description).toMatchObject({ topic: 'payments', partitions: 3 });
    expect(await incarnations(logs, 4)).toEqual([...Array(3).fill(description?.incarnation), undefined]);
    const [seconds] = await logs.ioredis.time();
    // An hour of room: only the unit and the epoch are tested.
    expect(Math.abs((description?.createdAtMs ?? 0) - Number(seconds) * 1000)).toBeLessThan(3_600_000);
  });

  test('changes nothing of a topic that exists', async ({ logs }) => {
    await logs.append('a');
    const before = await logs.topics.describe('orders');
    expect(await logs.topics.create('orders', 1)).toEqual({ status: 'EXISTS', partitions: 1, limits: {} });
    expect(await logs.topics.create('orders', 5)).toEqual({ status: 'EXISTS', partitions: 1, limits: {} });
    expect(await logs.topics.describe('orders')).toEqual(before);
    expect(await logs.log.describe('orders', 0)).toMatchObject({ end: 1 });
    expect(await logs.log.describe('orders', 1)).toBeNull();
  });

  test('of one topic by many tells one of them that it did', async ({ logs }) => {
    const results = await Promise.all(Array.from({ length: 10 }, () => logs.topics.create('payments', 2)));
    expect(results.filter(({ status }) => status === 'CREATED')).toHaveLength(1);
    expect(results.filter(({ status }) => status === 'EXISTS')).toHaveLength(9);
    const description = await logs.topics.describe('payments');
    expect(await incarnations(logs, 2)).toEqual([description?.incarnation, description?.incarnation]);
  });

  test.for([0, -1, 1.5, NaN, MAX_PARTITIONS + 1, '3' as never])(
    'refuses %s partitions',
    async (partitions, { logs }) => {
      await expect(logs.topics.create('payments', partitions)).rejects.toMatchObject({
        code: 'INVALID_OPTION',
      });
      expect(await logs.topics.describe('payments')).toBeNull();
    },
  );

  test('finishes what a creator left half done', async ({ logs }) => {
    await writeEntry(logs, { state: 'creating' });
    await createPartition(logs.ioredis, logs.keys, 'payments', { partition: 0, incarnation: '2-x' });
    expect(await logs.topics.create('payments', 2)).toEqual({ status: 'CREATED' });
    expect(await incarnations(logs, 2)).toEqual(['2-x', '2-x']);
    expect(await logs.topics.describe('payments')).toMatchObject({ partitions: 2, incarnation: '2-x' });
  });

  test('finishes it as it was begun, and says so', async ({ logs }) => {
    await writeEntry(logs, { state: 'creating' });
    expect(await logs.topics.create('payments', 5)).toEqual({ status: 'EXISTS', partitions: 2, limits: {} });
    expect(await incarnations(logs, 3)).toEqual(['2-x', '2-x', undefined]);
  });

  test('finishes a deletion first, so that no old record is in the new topic', async ({ logs }) => {
    await createPartition(logs.ioredis, logs.keys, 'payments', { partition: 1, incarnation: '2-x' });
    await logs.log.append(appendRequest({ topic: 'payments', partition: 1 }));
    await writeEntry(logs, { state: 'deleting' });
    expect(await logs.topics.create('payments', 2)).toEqual({ status: 'CREATED' });
    expect(await logs.log.describe('payments', 1)).toMatchObject({
      end: 0,
      bytes: 0,
      incarnation: expect.not.stringMatching(/^2-x$/),
    });
  });

  test('gives a topic that was deleted another incarnation', async ({ logs }) => {
    const before = await logs.topics.describe('orders');
    await logs.append('a');
    await logs.topics.delete('orders');
    await logs.topics.create('orders', 1);
    const after = await logs.topics.describe('orders');
    expect(after?.incarnation).not.toBe(before?.incarnation);
    expect(await logs.log.describe('orders', 0)).toEqual({
      start: 0,
      end: 0,
      bytes: 0,
      incarnation: after?.incarnation,
    });
  });

  test('takes logs up again whose entry was lost', async ({ logs }) => {
    await logs.topics.create('payments', 3);
    const { incarnation } = (await logs.topics.describe('payments')) ?? {};
    await logs.log.append(appendRequest({ topic: 'payments', partition: 2, values: ['a', 'b'] }));
    await logs.ioredis.hdel(logs.keys.topics, 'payments');
    expect(await logs.topics.create('payments', 4)).toEqual({ status: 'CREATED' });
    expect(await logs.topics.describe('payments')).toMatchObject({ partitions: 4, incarnation });
    expect(await incarnations(logs, 4)).toEqual([incarnation, incarnation, incarnation, incarnation]);
    expect(await logs.log.describe('payments', 2)).toMatchObject({ end: 2 });
  });

  test('refuses logs of two topics, destroys neither and keeps no name', async ({ logs }) => {
    for (const [partition, incarnation] of [
      [0, '2-x'],
      [1, '3-y'],
    ] as const) {
      await createPartition(logs.ioredis, logs.keys, 'payments', { partition, incarnation });
      await logs.log.append(appendRequest({ topic: 'payments', partition }));
    }
    await expect(logs.topics.create('payments', 2)).rejects.toMatchObject({
      code: 'TOPIC_EXISTS',
      details: { topic: 'payments', partition: 1, logEnd: 1 },
    });
    expect(await incarnations(logs, 2)).toEqual(['2-x', '3-y']);
    expect(await logs.ioredis.hexists(logs.keys.topics, 'payments')).toBe(0);
  });

  test('refuses the place of a stream that is not ours, and can be tried again', async ({ logs }) => {
    const { log } = logs.keys.partition('payments', 1);
    await logs.ioredis.xadd(log, '*', 'hello', 'world');
    await expect(logs.topics.create('payments', 2)).rejects.toMatchObject({
      code: 'FOREIGN_ENTRY',
      message: expect.stringContaining(log),
    });
    expect(await logs.topics.describe('payments')).toBeNull();
    await logs.ioredis.del(log);
    expect(await logs.topics.create('payments', 2)).toEqual({ status: 'CREATED' });
  });

  test('leaves no limits behind for a topic that is created without any', async ({ logs }) => {
    const { log } = logs.keys.partition('payments', 1);
    await logs.ioredis.xadd(log, '*', 'hello', 'world');
    await expect(logs.topics.create('payments', 2, { maxRecords: 1 })).rejects.toMatchObject({
      code: 'FOREIGN_ENTRY',
    });
    const { state } = logs.keys.partition('payments', 0);
    expect(await logs.ioredis.hget(state, 'limits')).not.toBeNull();
    await logs.ioredis.del(log);
    await logs.topics.create('payments', 2);
    expect(await logs.ioredis.hget(state, 'limits')).toBeNull();
    for (const sequence of [0, 1]) {
      const request = appendRequest({ topic: 'payments', sequence });
      expect(await logs.log.append(request)).toMatchObject({ status: 'APPENDED' });
    }
  });
});

describe('what is being created or deleted is no topic yet, or no more', () => {
  test.for(['creating', 'deleting'] as const)('%s', async (state, { logs }) => {
    await writeEntry(logs, { state });
    expect(await logs.topics.describe('payments')).toBeNull();
    expect((await logs.topics.list()).map(({ topic }) => topic)).toEqual(['orders']);
    expect(await logs.topics.partitionCounts()).toEqual(new Map([['orders', 1]]));
    expect(await logs.topics.addPartitions('payments', 5)).toEqual({ status: 'UNKNOWN_TOPIC' });
  });
});

test('list gives all topics by name', async ({ logs }) => {
  for (const topic of ['b', 'a', 'B', '10', '9']) await logs.topics.create(topic, 2);
  expect((await logs.topics.list()).map(({ topic }) => topic)).toEqual(['10', '9', 'B', 'a', 'b', 'orders']);
  expect(await logs.topics.partitionCounts()).toEqual(
    new Map([
      ['10', 2],
      ['9', 2],
      ['B', 2],
      ['a', 2],
      ['b', 2],
      ['orders', 1],
    ]),
  );
});

test('describe gives null for a topic that nobody created', async ({ logs }) => {
  expect(await logs.topics.describe('payments')).toBeNull();
});

describe('addPartitions', () => {
  test('adds empty ones and leaves the others', async ({ logs }) => {
    await logs.append('a');
    const before = await logs.topics.describe('orders');
    expect(await logs.topics.addPartitions('orders', 3)).toEqual({
      status: 'ADDED',
      before: 1,
      partitions: 3,
    });
    expect(await logs.topics.describe('orders')).toEqual({ ...before, partitions: 3 });
    expect(await logs.log.describe('orders', 0)).toMatchObject({ end: 1 });
    expect(await logs.log.describe('orders', 2)).toEqual({
      start: 0,
      end: 0,
      bytes: 0,
      incarnation: before?.incarnation,
    });
  });

  test('of the present total repairs a partition that was lost', async ({ logs }) => {
    await logs.topics.addPartitions('orders', 3);
    await logs.ioredis.del(logs.keys.partition('orders', 1).state);
    expect(await logs.topics.addPartitions('orders', 3)).toEqual({
      status: 'ADDED',
      before: 3,
      partitions: 3,
    });
    expect(await logs.log.describe('orders', 1)).toMatchObject({ end: 0 });
  });

  test('never takes any away', async ({ logs }) => {
    await logs.topics.addPartitions('orders', 3);
    expect(await logs.topics.addPartitions('orders', 2)).toEqual({
      status: 'FEWER_PARTITIONS',
      partitions: 3,
    });
    expect(await logs.log.describe('orders', 2)).not.toBeNull();
  });

  test('creates no topic', async ({ logs }) => {
    expect(await logs.topics.addPartitions('payments', 2)).toEqual({ status: 'UNKNOWN_TOPIC' });
    expect(await logs.log.describe('payments', 0)).toBeNull();
  });

  test('refuses a total that is no number of partitions', async ({ logs }) => {
    await expect(logs.topics.addPartitions('orders', 0)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe('delete', () => {
  test('leaves no key behind', async ({ logs }) => {
    await logs.topics.addPartitions('orders', 20);
    for (let partition = 0; partition < 20; partition++) {
      await logs.log.append(appendRequest({ partition, producerId: `producer-${partition}` }));
      for (const group of ['billing', 'shipping']) {
        const keys = logs.keys.partition('orders', partition);
        await logs.ioredis.sadd(keys.groups, group);
        await logs.ioredis.hset(keys.group(group), 'committed', 1);
      }
    }
    expect(await logs.topics.delete('orders')).toBe('DELETED');
    expect(await logs.ioredis.keys(`${logs.keys.prefix}*`)).toEqual([]);
  });

  test('leaves other topics alone', async ({ logs }) => {
    await logs.topics.create('orders.1', 2);
    await logs.topics.delete('orders');
    expect((await logs.topics.list()).map(({ topic }) => topic)).toEqual(['orders.1']);
    expect(await logs.log.describe('orders.1', 1)).not.toBeNull();
  });

  test('of an unknown topic says so', async ({ logs }) => {
    expect(await logs.topics.delete('payments')).toBe('UNKNOWN_TOPIC');
  });

  test.for(['creating', 'deleting'] as const)(
    'finishes what was left half done: %s',
    async (state, { logs }) => {
      await writeEntry(logs, { state });
      await createPartition(logs.ioredis, logs.keys, 'payments', { partition: 1, incarnation: '2-x' });
      expect(await logs.topics.delete('payments')).toBe('DELETED');
      expect(await logs.ioredis.keys(`${logs.keys.prefix}:{payments*`)).toEqual([]);
      expect(await logs.ioredis.hexists(logs.keys.topics, 'payments')).toBe(0);
    },
  );
});

describe('an entry that cannot be read', () => {
  test.for(['', 'x', 'null', '3', '{}', '{"partitions":"2"}', '{"partitions":2,"createdAtMs":1}'])(
    'is an error that names the topic: %j',
    async (json, { logs }) => {
      await logs.ioredis.hset(logs.keys.topics, 'payments', json);
      const expected = { code: 'CORRUPT_CATALOGUE', details: { topic: 'payments' } };
      await expect(logs.topics.partitionCounts()).rejects.toMatchObject(expected);
      await expect(logs.topics.describe('payments')).rejects.toMatchObject(expected);
      await expect(logs.topics.create('payments', 1)).rejects.toMatchObject(expected);
    },
  );

  test.for([
    { partitions: 0 },
    { partitions: 1.5 },
    { state: 'paused' as never },
    { incarnation: 7 as never },
    { createdAtMs: 'today' as never },
  ])('is an error: %j', async (change, { logs }) => {
    await writeEntry(logs, change);
    await expect(logs.topics.describe('payments')).rejects.toMatchObject({ code: 'CORRUPT_CATALOGUE' });
  });
});
