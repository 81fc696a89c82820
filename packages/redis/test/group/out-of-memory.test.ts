/**
 * With the server's memory full nothing new is taken in, and everything that is under way can be brought to an end:
 * who drains must be able to commit, release and leave, and who died must still be evicted.
 */
import type { Fence, MemberDescription } from '@millrace/core';
import { createKeys, RedisPartitionStore, RedisTopicStore } from '@millrace/redis';
import { describe, expect } from 'vitest';
import { acquireRequest, fenceOf } from '../partition/partition-fixture.ts';
import { assignmentOf, groupFixture, memberOf, type GroupFixture } from './group-fixture.ts';
import { test as serverTest } from './own-server.ts';

interface FullServer {
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
    await use({ group, partitions, leader: memberOf('leader'), worker, leaderEpoch, fence });
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
    expect(await partitions.seek(fence, 60)).toMatchObject({ status: 'SOUGHT', committed: 60 });
    expect(await partitions.release(fence)).toEqual({ status: 'RELEASED' });
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

  const REFUSED: Readonly<Record<string, (full: FullServer) => Promise<unknown>>> = {
    'a join': ({ group }) => group.store.join(memberOf('new')),
    'a claim': ({ group, worker }) =>
      group.store.claim({ ...worker, assignmentGeneration: 2, partitions: ['orders/1'], lowest: 0 }),
    'an acquire': ({ partitions }) => partitions.acquire(acquireRequest('heir', { claim: 2 })),
    'an election': ({ group, leader }) => group.store.elect('leader', leader.session),
    'the leader lock': ({ group }) => group.store.tryLock(10_000),
    'a new generation': ({ group, leaderEpoch }) => group.store.bumpGeneration(leaderEpoch, 2, 'x'),
    'an assignment': ({ group, leaderEpoch }) =>
      group.store.publish({
        leaderEpoch,
        generation: 2,
        assignment: assignmentOf({ leader: [0, 1] }),
        incarnations: new Map(),
        deputies: [],
        moves: 1,
        orphans: new Map(),
      }),
  };

  test.for(Object.entries(REFUSED))(
    '%s is refused before it has changed anything',
    async ([, call], { full }) => {
      const { group } = full;
      const before = [
        await group.store.snapshot(),
        await group.store.readAssignment(),
        await group.history(),
      ];
      await expect(call(full)).rejects.toThrow(/^OOM/);
      expect([
        await group.store.snapshot(),
        await group.store.readAssignment(),
        await group.history(),
      ]).toEqual(before);
      expect(await full.partitions.commit(full.fence, 1, '')).toMatchObject({ status: 'COMMITTED' });
    },
  );
});
