/**
 * With the server's memory full no record is taken in, and the group goes on: who drains must be able to commit, release
 * and leave, who died must be evicted, and whoever is left, or comes instead, must get what it owned.
 */
import type { Fence, MemberDescription } from '@millrace/core';
import {
  createKeys,
  encodeBatch,
  RedisLog,
  RedisPartitionStore,
  RedisTopicStore,
  type RedisConnection,
} from '@millrace/redis';
import { describe, expect } from 'vitest';
import { acquireRequest, fenceOf } from '../partition/partition-fixture.ts';
import { assignmentOf, groupFixture, memberOf, type GroupFixture } from './group-fixture.ts';
import { recordOf } from '../log/log-fixture.ts';
import { test as serverTest } from './own-server.ts';

interface FullServer {
  readonly redis: RedisConnection;
  readonly group: GroupFixture;
  readonly partitions: RedisPartitionStore;
  readonly leader: MemberDescription;
  readonly worker: MemberDescription;
  readonly leaderEpoch: number;
  /** Of the partition that `worker` owns, by claim 1. */
  readonly fence: Fence;
}

/** A group at work: `leader` leads, `worker` owns orders/0. Then the memory is full. */
const test = serverTest.extend<{ full: FullServer }>({
  full: async ({ open }, use) => {
    const redis = await open();
    const keys = createKeys('oom');
    const group = groupFixture(redis, keys, open);
    const partitions = new RedisPartitionStore(redis, keys);
    await new RedisTopicStore(redis, keys).create('orders', 2);
    await redis.hset(keys.partition('orders', 0).state, 'end', 100);
    const leaderEpoch = await group.lead('leader');
    const worker = await group.join('worker');
    const assignmentGeneration = await group.assign(leaderEpoch, 'worker', 0, 1);
    await group.store.claim({ ...worker, assignmentGeneration, partitions: ['orders/0'], lowest: 0 });
    const request = acquireRequest('worker');
    const acquired = await partitions.acquire(request);
    if (acquired.status !== 'ACQUIRED') throw new Error(acquired.status);
    await redis.config('SET', 'maxmemory', 1);
    const fence = fenceOf(request, acquired);
    await use({ redis, group, partitions, leader: memberOf('leader'), worker, leaderEpoch, fence });
  },
});

describe('with the memory full', () => {
  test('a member renews, commits, seeks, releases and leaves', async ({
    full: { group, partitions, worker, fence },
  }) => {
    expect(await group.store.heartbeat('worker', worker.session)).toMatchObject({ status: 'OK' });
    expect(await group.store.update({ ...worker, isLeaving: true }, 'leaving')).toBe('OK');
    expect(await partitions.commit(fence, 50, 'f'.repeat(30))).toEqual({
      status: 'COMMITTED',
      committed: 50,
    });
    expect(await partitions.seek(fence, 60, 'sought')).toMatchObject({ status: 'SOUGHT', committed: 60 });
    expect(await partitions.release({ ...fence, nonce: 'sought' })).toEqual({ status: 'RELEASED' });
    await group.store.unclaim('worker', new Map([['orders/0', 1]]));
    expect((await group.store.snapshot()).owners).toEqual(new Map());
    expect(await group.store.leave('worker', worker.session)).toBe('LEFT');
  });

  test('the leader watches, evicts and resigns', async ({ full: { group, leaderEpoch } }) => {
    expect((await group.store.watch(['worker'])).signs.get('worker')).toEqual({ subscribers: 0, beat: 1 });
    expect(await group.store.evict(leaderEpoch, 'worker', 1, 'presence')).toBe('OK');
    expect(await group.store.depose({ memberId: 'leader', epoch: leaderEpoch }, 'resigned')).toBe('OK');
  });

  test('everything can be read', async ({ full: { group, partitions } }) => {
    expect((await group.store.snapshot()).members.size).toBe(2);
    expect((await group.store.readTarget('worker')).partitions).toEqual(['orders/0', 'orders/1']);
    expect((await group.store.readAssignment()).assignment.memberIds).toEqual(['worker']);
    expect(await partitions.progress('orders', 0, 'billing')).toEqual({ committed: 0, logEnd: 100 });
  });

  test('others join, lead and take over: the group goes on with whoever is left', async ({
    full: { group, partitions, leader, leaderEpoch },
  }) => {
    expect(await group.store.join(memberOf('heir'))).toMatchObject({ status: 'JOINED' });
    expect(await group.store.evict(leaderEpoch, 'worker', 1, 'presence')).toBe('OK');
    expect(await group.store.tryLock(10_000)).toBe(true);
    expect(await group.store.extendLock(10_000)).toBe(true);
    const epoch = (await group.store.elect('leader', leader.session)) ?? 0;
    expect(epoch).toBeGreaterThan(leaderEpoch);
    const { generation } = await group.store.snapshot();
    expect(await group.store.bumpGeneration(epoch, generation, 'topics')).toBe(generation + 1);
    expect(
      await group.store.publish({
        leaderEpoch: epoch,
        generation: generation + 1,
        assignment: assignmentOf({ heir: [0, 1] }),
        incarnations: new Map(),
        deputies: [],
        moves: 1,
        orphans: new Map(),
      }),
    ).toBe('OK');
    const claimed = await group.store.claim({
      ...memberOf('heir'),
      assignmentGeneration: generation + 1,
      partitions: ['orders/0'],
      lowest: 0,
    });
    expect(claimed).toMatchObject({ status: 'CLAIMED', granted: ['orders/0'] });
    expect(await partitions.acquire(acquireRequest('heir', { claim: 2 }))).toMatchObject({
      status: 'ACQUIRED',
    });
    await group.store.releaseLock();
  });

  test('nothing is appended', async ({ full: { redis, partitions } }) => {
    const log = new RedisLog(redis, createKeys('oom'));
    const append = log.append({
      topic: 'orders',
      partition: 0,
      producerId: 'p',
      producerEpoch: 0,
      sequence: 0,
      recordCount: 1,
      batch: encodeBatch([recordOf('x')]),
    });
    await expect(append).rejects.toThrow(/^OOM/);
    expect(await partitions.progress('orders', 0, 'billing')).toEqual({ committed: 0, logEnd: 100 });
  });
});
