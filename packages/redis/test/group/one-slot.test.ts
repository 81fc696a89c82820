/**
 * Every script on a server in cluster mode, which refuses a key or a channel of another slot than that of the declared
 * ones. A single server lets all of that pass.
 */
import {
  createKeys,
  openConnection,
  closeConnection,
  RedisPartitionStore,
  RedisTopicStore,
} from '@millrace/redis';
import { eventually, startRedis } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { acquireRequest, fenceOf } from '../partition/partition-fixture.ts';
import { groupFixture, memberOf } from './group-fixture.ts';

test('the life of a group keeps each script to one slot', async () => {
  await using server = await startRedis({ directives: { 'cluster-enabled': 'yes' } });
  const config = { url: server.url, connectTimeoutMs: 5000 };
  const redis = await openConnection(config, 'command', 'one-slot-test');
  await redis.cluster('ADDSLOTSRANGE', 0, 16_383);
  await eventually(async () => (await redis.cluster('INFO')).includes('cluster_state:ok'), {
    what: 'the cluster',
  });
  const keys = createKeys('one-slot');
  const group = groupFixture(redis, keys, () => openConnection(config, 'lease', 'one-slot-test'));
  const partitions = new RedisPartitionStore(redis, keys);
  await new RedisTopicStore(redis, keys).create('orders', 2);

  const disappear = await group.appear('a');
  const leaderEpoch = await group.lead('a');
  const b = await group.join('b');
  expect(await group.store.heartbeat('b', b.session)).toMatchObject({ status: 'OK' });
  expect(await group.store.update({ ...b, capacity: 2 }, 'capacity')).toBe('OK');
  expect((await group.store.watch(['a', 'b'])).signs.get('a')?.subscribers).toBe(1);
  expect(await group.store.bumpGeneration(leaderEpoch, 3, 'x')).toBe(4);
  const assignmentGeneration = await group.assign(leaderEpoch, 'b', 0, 1);
  expect((await group.store.readTarget('b')).partitions).toHaveLength(2);
  expect((await group.store.readAssignment()).generation).toBe(4);
  const claim = { ...b, assignmentGeneration, partitions: ['orders/0', 'orders/1'], lowest: 0 } as const;
  expect(await group.store.claim(claim)).toMatchObject({ status: 'CLAIMED' });

  const request = acquireRequest('b');
  const acquired = await partitions.acquire(request);
  if (acquired.status !== 'ACQUIRED') throw new Error(acquired.status);
  const fence = fenceOf(request, acquired);
  expect(await partitions.seek(fence, 0, 'sought')).toMatchObject({ status: 'SOUGHT' });
  const sought = { ...fence, nonce: 'sought' };
  expect(await partitions.commit(sought, 0, '')).toMatchObject({ status: 'COMMITTED' });
  expect(await partitions.progress('orders', 0, 'billing')).toEqual({ committed: 0, logEnd: 0 });
  expect(await partitions.release(sought)).toEqual({ status: 'RELEASED' });
  await group.store.unclaim('b', new Map([['orders/0', 1]]));
  expect([...(await group.store.snapshot()).owners.keys()]).toEqual(['orders/1']);

  expect(await group.store.tryLock(10_000)).toBe(true);
  await disappear();
  expect(await group.store.depose({ memberId: 'a', epoch: leaderEpoch }, 'gone')).toBe('OK');
  const heir = await group.store.elect('b', b.session);
  expect(await group.store.evict(heir ?? 0, 'a', 1, 'presence')).toBe('OK');
  expect(await group.store.leave('b', memberOf('b').session)).toBe('LEFT');
  await closeConnection(redis);
});
