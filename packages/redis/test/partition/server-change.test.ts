/** An ownership is worth nothing at another server than the one that gave it out: that one may hold less. */
import type { Fence } from '@millrace/core';
import { closeConnection, createKeys, openConnection, RedisPartitionStore } from '@millrace/redis';
import { startRedis, type RedisServer } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';
import { acquireRequest, fenceOf, GROUP } from './partition-fixture.ts';

const keys = createKeys('test');
const at = keys.partition('orders', 0);

async function connected(server: Pick<RedisServer, 'url'>) {
  const redis = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'test');
  return { redis, store: new RedisPartitionStore(redis, keys) };
}

async function own(store: RedisPartitionStore, claim: number): Promise<Fence> {
  const request = acquireRequest('a', { claim, nonce: `nonce-${claim}` });
  const result = await store.acquire(request);
  if (result.status !== 'ACQUIRED') throw new Error(result.status);
  return fenceOf(request, result);
}

/** The fence holds everything that is needed, so every write is tried with it, and none may change anything. */
async function expectRefused(server: RedisServer, fence: Fence): Promise<void> {
  const { redis, store } = await connected(server);
  const before = await redis.hgetall(at.group(GROUP));
  expect(before).toMatchObject({ epoch: String(fence.epoch), nonce: fence.nonce });
  for (const answer of [
    await store.commit(fence, 60, 'f'),
    await store.seek(fence, 10, 'sought'),
    await store.release(fence),
  ]) {
    expect(answer).toMatchObject({ status: 'SERVER_CHANGED', server: expect.stringMatching(/^\w{40}$/) });
    expect(answer).not.toMatchObject({ server: fence.server });
  }
  expect(await redis.hgetall(at.group(GROUP))).toEqual(before);
  const again = await own(store, 2);
  expect(await store.commit(again, 60, 'f')).toEqual({ status: 'COMMITTED', committed: 60 });
  await closeConnection(redis);
}

describe('commit, seek and release are refused', () => {
  test('after a restart, although epoch and nonce are the current ones', async () => {
    await using server = await startRedis({ directives: { appendfsync: 'always' } });
    const { redis, store } = await connected(server);
    await redis.hset(at.state, { start: 0, end: 100, incarnation: '1-x' });
    const fence = await own(store, 1);
    expect(await store.commit(fence, 10, '')).toMatchObject({ status: 'COMMITTED' });
    await closeConnection(redis);
    await server.restart?.('SIGKILL');
    await expectRefused(server, fence);
  });

  test('by a promoted replica, and by the old primary when it is promoted again', async () => {
    const directives = { 'repl-diskless-sync-delay': '0' };
    await using first = await startRedis({ directives });
    await using second = await startRedis({ directives });
    const { redis, store } = await connected(first);
    const { redis: other } = await connected(second);
    await redis.hset(at.state, { start: 0, end: 100, incarnation: '1-x' });
    await other.replicaof(first.host, first.port);
    const fence = await own(store, 1);
    await redis.call('WAIT', '1', '10000');
    await other.call('REPLICAOF', 'NO', 'ONE');
    await expectRefused(second, fence);

    // The same process, with the same run_id: it has been behind another history in between.
    const kept = await own(new RedisPartitionStore(other, keys), 3);
    await redis.replicaof(second.host, second.port);
    await other.call('WAIT', '1', '10000');
    await redis.call('REPLICAOF', 'NO', 'ONE');
    expect(await store.commit(kept, 70, '')).toMatchObject({ status: 'SERVER_CHANGED' });
    expect(await store.commit({ ...kept, server: fence.server }, 70, '')).toMatchObject({
      status: 'SERVER_CHANGED',
    });
    await Promise.all([closeConnection(redis), closeConnection(other)]);
  });
});

test('a reset is told of until its owner has shown that it heard of it', async () => {
  await using server = await startRedis();
  const { redis, store } = await connected(server);
  await redis.hset(at.state, { start: 0, end: 100, incarnation: '1-x' });
  const fence = await own(store, 1);
  await store.commit(fence, 90, 'f');
  await redis.hset(at.state, 'end', 50);
  const told = { status: 'ACQUIRED', committed: 50, reset: { from: 90 } };
  expect(await store.acquire(acquireRequest('a', { claim: 2, nonce: 'lost reply' }))).toMatchObject(told);
  expect(await store.acquire(acquireRequest('a', { claim: 2, nonce: 'lost reply' }))).toMatchObject(told);
  expect(await store.acquire(acquireRequest('b', { claim: 3, nonce: 'crash' }))).toMatchObject(told);
  // Released without a commit: a member that took it for one moment may not have told anybody either.
  await store.release(await own(store, 4));
  await redis.hset(at.state, 'end', 60);
  const confirmed = await own(store, 5);
  expect(await redis.hget(at.group(GROUP), 'resetFrom')).toBe('90');
  await store.commit(confirmed, 55, 'f');
  expect(await store.acquire(acquireRequest('b', { claim: 6 }))).toMatchObject({
    committed: 55,
    reset: null,
  });
  await closeConnection(redis);
});
