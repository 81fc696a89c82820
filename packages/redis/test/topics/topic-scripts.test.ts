/** Every status of the scripts behind topics, and what each leaves behind. */
import { describe, expect } from 'vitest';
import { createPartition, deletePartition, replaceTopic } from '../../src/topics/topic-scripts.ts';
import { appendRequest, test, type LogFixture } from '../log/log-fixture.ts';

function partitionKeys(logs: LogFixture, partition = 1): Promise<string[]> {
  return logs.ioredis.keys(`${logs.keys.prefix}:{orders/${partition}}*`);
}

describe('create-partition', () => {
  test('CREATED: an empty log', async ({ logs }) => {
    const request = { partition: 1, incarnation: '2-x' };
    expect(await createPartition(logs.ioredis, logs.keys, 'orders', request)).toEqual({ status: 'CREATED' });
    expect(await logs.log.describe('orders', 1)).toEqual({ start: 0, end: 0, bytes: 0, incarnation: '2-x' });
  });

  test('EXISTS: again, with the same incarnation', async ({ logs }) => {
    const request = { partition: 1, incarnation: '2-x' };
    await createPartition(logs.ioredis, logs.keys, 'orders', request);
    await logs.log.append(appendRequest({ partition: 1, values: ['a', 'b'] }));
    const again = await createPartition(logs.ioredis, logs.keys, 'orders', request);
    expect(again).toEqual({ status: 'EXISTS', logEnd: 2 });
    expect(await logs.log.describe('orders', 1)).toMatchObject({ start: 0, end: 2, incarnation: '2-x' });
  });

  test('CREATED: takes an empty log over', async ({ logs }) => {
    await createPartition(logs.ioredis, logs.keys, 'orders', { partition: 1, incarnation: '2-x' });
    const other = await createPartition(logs.ioredis, logs.keys, 'orders', {
      partition: 1,
      incarnation: '3-y',
    });
    expect(other).toEqual({ status: 'CREATED' });
    expect(await logs.log.describe('orders', 1)).toMatchObject({ incarnation: '3-y' });
  });

  test('OTHER_INCARNATION: does not let an older creation take an empty log over', async ({ logs }) => {
    await createPartition(logs.ioredis, logs.keys, 'orders', { partition: 1, incarnation: '10-x' });
    const older = await createPartition(logs.ioredis, logs.keys, 'orders', {
      partition: 1,
      incarnation: '9-y',
    });
    expect(older).toEqual({ status: 'OTHER_INCARNATION', incarnation: '10-x', logEnd: 0 });
    expect(await logs.log.describe('orders', 1)).toMatchObject({ incarnation: '10-x' });
  });

  test('OTHER_INCARNATION: leaves a log with records alone', async ({ logs }) => {
    await createPartition(logs.ioredis, logs.keys, 'orders', { partition: 1, incarnation: '2-x' });
    await logs.log.append(appendRequest({ partition: 1, values: ['a', 'b'] }));
    const other = await createPartition(logs.ioredis, logs.keys, 'orders', {
      partition: 1,
      incarnation: '3-y',
    });
    expect(other).toEqual({ status: 'OTHER_INCARNATION', incarnation: '2-x', logEnd: 2 });
    expect(await logs.log.describe('orders', 1)).toMatchObject({ start: 0, end: 2, incarnation: '2-x' });
  });

  test('FOREIGN_LOG: leaves a stream that is not ours alone', async ({ logs }) => {
    await logs.ioredis.xadd(logs.keys.partition('orders', 1).log, '*', 'hello', 'world');
    const request = { partition: 1, incarnation: '2-x' };
    expect(await createPartition(logs.ioredis, logs.keys, 'orders', request)).toEqual({
      status: 'FOREIGN_LOG',
    });
    expect(await logs.log.describe('orders', 1)).toBeNull();
  });
});

describe('delete-partition', () => {
  async function fillPartition(logs: LogFixture, groups: readonly string[]): Promise<void> {
    await createPartition(logs.ioredis, logs.keys, 'orders', { partition: 1, incarnation: '2-x' });
    await logs.log.append(appendRequest({ partition: 1 }));
    const partition = logs.keys.partition('orders', 1);
    for (const group of groups) {
      await logs.ioredis.sadd(partition.groups, group);
      await logs.ioredis.hset(partition.group(group), 'committed', 1);
    }
  }

  test('DELETED: with producers and groups', async ({ logs }) => {
    await fillPartition(logs, ['billing', 'shipping']);
    expect((await partitionKeys(logs)).length).toBe(7);
    const request = { partition: 1, incarnation: '2-x', groups: ['shipping', 'billing'] };
    expect(await deletePartition(logs.ioredis, logs.keys, 'orders', request)).toEqual({ status: 'DELETED' });
    expect(await partitionKeys(logs)).toEqual([]);
    expect(await logs.log.describe('orders', 0)).not.toBeNull();
  });

  test('DELETED: what is not there', async ({ logs }) => {
    const request = { partition: 1, incarnation: '2-x', groups: [] };
    expect(await deletePartition(logs.ioredis, logs.keys, 'orders', request)).toEqual({ status: 'DELETED' });
  });

  test.for([
    ['one more', ['billing', 'shipping', 'audit']],
    ['one fewer', ['billing']],
    ['another one', ['billing', 'audit']],
  ] as const)('GROUPS_CHANGED: the list has %s, and nothing is deleted', async ([, groups], { logs }) => {
    await fillPartition(logs, ['billing', 'shipping']);
    const before = await partitionKeys(logs);
    const request = { partition: 1, incarnation: '2-x', groups };
    expect(await deletePartition(logs.ioredis, logs.keys, 'orders', request)).toEqual({
      status: 'GROUPS_CHANGED',
    });
    expect((await partitionKeys(logs)).toSorted()).toEqual(before.toSorted());
  });

  test('OTHER_INCARNATION: a deletion that was slow leaves the new log alone', async ({ logs }) => {
    await fillPartition(logs, []);
    const before = await partitionKeys(logs);
    const request = { partition: 1, incarnation: '1-w', groups: [] };
    expect(await deletePartition(logs.ioredis, logs.keys, 'orders', request)).toEqual({
      status: 'OTHER_INCARNATION',
      incarnation: '2-x',
    });
    expect((await partitionKeys(logs)).toSorted()).toEqual(before.toSorted());
  });
});

describe('replace-topic', () => {
  const replace = (logs: LogFixture, expected: string, replacement: string) =>
    replaceTopic(logs.ioredis, logs.keys, 'payments', { expected, replacement });

  test('REPLACED: from nothing, to another entry, to nothing', async ({ logs }) => {
    expect(await replace(logs, '', 'a')).toEqual({ status: 'REPLACED' });
    expect(await replace(logs, 'a', 'b')).toEqual({ status: 'REPLACED' });
    expect(await logs.ioredis.hget(logs.keys.topics, 'payments')).toBe('b');
    expect(await replace(logs, 'b', '')).toEqual({ status: 'REPLACED' });
    expect(await logs.ioredis.hexists(logs.keys.topics, 'payments')).toBe(0);
  });

  test('CHANGED: gives the present entry and leaves it', async ({ logs }) => {
    expect(await replace(logs, 'a', 'b')).toEqual({ status: 'CHANGED', present: '' });
    await replace(logs, '', 'a');
    expect(await replace(logs, '', 'b')).toEqual({ status: 'CHANGED', present: 'a' });
    expect(await replace(logs, 'x', '')).toEqual({ status: 'CHANGED', present: 'a' });
    expect(await logs.ioredis.hget(logs.keys.topics, 'payments')).toBe('a');
  });
});
