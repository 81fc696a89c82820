/** Every status of delete-group.lua and forget-group.lua, and what a deletion leaves behind: nothing. */
import {
  createKeys,
  deleteGroup,
  listGroups,
  readGroupOffsets,
  RedisPartitionStore,
  RedisTopicStore,
  type GroupOffset,
} from '@millrace/redis';
import { test as redisTest } from '@millrace/testkit/vitest';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { forgetGroup } from '../../src/group-admin/delete-group.ts';

interface GroupFixture {
  readonly redis: Redis;
  readonly keys: ReturnType<typeof createKeys>;
  /** Owns both partitions of `orders` as `m1`, as if it had joined and crashed. */
  own(nonce: string): Promise<void>;
  offsets(): Promise<GroupOffset[]>;
}

const group = 'billing';

const test = redisTest.extend<{ groups: GroupFixture }>({
  groups: async ({ redis, ioredis }, use) => {
    const keys = createKeys(redis.prefix);
    const topics = new RedisTopicStore(ioredis, keys);
    const partitions = new RedisPartitionStore(ioredis, keys);
    await topics.create('orders', 2);
    await use({
      redis: ioredis,
      keys,
      offsets: () => readGroupOffsets(ioredis, keys, group, new Map([['orders', 2]])),
      async own(nonce) {
        await ioredis.sadd(keys.groups, group);
        await ioredis.hset(keys.group(group).state, 'generation', 1);
        for (const partition of [0, 1]) {
          const request = {
            topic: 'orders',
            partition,
            group,
            memberId: 'm1',
            nonce,
            claim: 1,
            offsetReset: 'earliest',
          } as const;
          expect(await partitions.acquire(request)).toMatchObject({ status: 'ACQUIRED' });
        }
      },
    });
    await topics.delete('orders');
  },
});

test('a group without members is deleted with its offsets, and with its topic nothing is left', async ({
  groups,
}) => {
  await groups.own('n1');
  expect(await listGroups(groups.redis, groups.keys)).toEqual([{ group, members: 0 }]);
  expect(await deleteGroup(groups.redis, groups.keys, group, await groups.offsets())).toEqual({
    status: 'DELETED',
  });
  expect(await listGroups(groups.redis, groups.keys)).toEqual([]);
  expect(await groups.offsets()).toMatchObject([
    { committed: null, epoch: 0 },
    { committed: null, epoch: 0 },
  ]);
  expect(await groups.redis.exists(groups.keys.partition('orders', 0).groups)).toBe(0);
});

test('a group with members stays as it is', async ({ groups, redis }) => {
  await groups.own('n1');
  const { members } = groups.keys.group(group);
  await groups.redis.hset(members, 'm1', 's {}', 'm2', 's {}');
  expect(await deleteGroup(groups.redis, groups.keys, group, await groups.offsets())).toEqual({
    status: 'NOT_EMPTY',
    members: 2,
  });
  expect(await groups.offsets()).toMatchObject([
    { owner: 'm1', committed: 0 },
    { owner: 'm1', committed: 0 },
  ]);
  expect(await groups.redis.sismember(groups.keys.groups, group)).toBe(1);
  await redis.clear();
});

test('deleting a group that is not there is done at once', async ({ groups }) => {
  expect(await deleteGroup(groups.redis, groups.keys, group, await groups.offsets())).toEqual({
    status: 'DELETED',
  });
});

test('a deletion that broke off after any step can be repeated', async ({ groups }) => {
  await groups.own('n1');
  const offsets = await groups.offsets();
  await groups.redis.del(groups.keys.group(group).state);
  await forgetGroup(groups.redis, groups.keys, group, {
    topic: 'orders',
    partition: 0,
    epoch: offsets[0]?.epoch ?? 0,
  });
  expect(await deleteGroup(groups.redis, groups.keys, group, await groups.offsets())).toEqual({
    status: 'DELETED',
  });
  expect(await groups.offsets()).toMatchObject([{ committed: null }, { committed: null }]);
});

test('an ownership that began after the deletion keeps its offset', async ({ groups }) => {
  await groups.own('n1');
  const before = await groups.offsets();
  await groups.own('n2');
  expect(await deleteGroup(groups.redis, groups.keys, group, before)).toEqual({ status: 'DELETED' });
  expect(await groups.offsets()).toMatchObject([
    { owner: 'm1', committed: 0 },
    { owner: 'm1', committed: 0 },
  ]);
  expect(await groups.redis.smembers(groups.keys.partition('orders', 0).groups)).toEqual([group]);
});

test('forgetting says whether it did', async ({ groups }) => {
  await groups.own('n1');
  const [first] = await groups.offsets();
  const place = { topic: 'orders', partition: 0, epoch: first?.epoch ?? NaN };
  expect(await forgetGroup(groups.redis, groups.keys, group, { ...place, epoch: place.epoch - 1 })).toBe(
    false,
  );
  expect(await forgetGroup(groups.redis, groups.keys, group, place)).toBe(true);
  expect(await forgetGroup(groups.redis, groups.keys, group, place)).toBe(true);
  await deleteGroup(groups.redis, groups.keys, group, []);
});

test('a group that is joined during its deletion stays in the catalogue', async ({ groups, redis }) => {
  await groups.own('n1');
  const { members } = groups.keys.group(group);
  const racing = new Proxy(groups.redis, {
    get(target, name) {
      if (name !== 'srem') return Reflect.get(target, name, target) as unknown;
      return async (...args: Parameters<Redis['srem']>) => {
        await target.hset(members, 'm2', 's {}');
        return target.srem(...args);
      };
    },
  });
  await deleteGroup(racing, groups.keys, group, await groups.offsets());
  expect(await listGroups(groups.redis, groups.keys)).toEqual([{ group, members: 1 }]);
  await redis.clear();
});

test('offsets tell what was never begun, and skip what does not exist', async ({ groups }) => {
  await groups.redis.hset(
    groups.keys.partition('orders', 0).group(group),
    'owner',
    'm',
    'epoch',
    7,
    'committed',
    0,
  );
  const offsets = await readGroupOffsets(
    groups.redis,
    groups.keys,
    group,
    new Map([
      ['orders', 3],
      ['nope', 1],
    ]),
  );
  expect(offsets).toEqual([
    { topic: 'orders', partition: 0, owner: 'm', epoch: 7, committed: 0, logStart: 0, logEnd: 0 },
    { topic: 'orders', partition: 1, owner: null, epoch: 0, committed: null, logStart: 0, logEnd: 0 },
  ]);
  await groups.redis.del(groups.keys.partition('orders', 0).group(group));
});
