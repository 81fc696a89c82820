/** Every status of what a leader writes: elect-leader, depose-leader, evict-member, bump-generation, publish-assignment. */
import { assignmentFromMembers, type Claim, type PartitionKey, type PublishRequest } from '@millrace/core';
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { assignmentOf, memberOf, test } from './group-fixture.ts';

const EMPTY: Omit<PublishRequest, 'leaderEpoch' | 'generation'> = {
  assignment: assignmentOf({}),
  incarnations: new Map(),
  deputies: [],
  moves: 0,
  orphans: new Map(),
};

describe('elect-leader', () => {
  test('ELECTED: every election has an epoch above all before it, of the same member too', async ({
    group,
  }) => {
    const { session: a } = await group.join('a');
    const { session: b } = await group.join('b');
    expect(await group.store.elect('a', a)).toBe(1);
    expect(await group.store.elect('a', a)).toBe(2);
    expect(await group.store.elect('b', b)).toBe(3);
    expect((await group.store.snapshot()).leader).toEqual({ memberId: 'b', epoch: 3 });
    expect((await group.history()).at(-1)).toBe('leader-elected member=b leaderEpoch=3');
  });

  test('ELECTED: the epoch goes on rising when there was no leader in between', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.store.depose({ memberId: 'a', epoch }, 'resigned');
    expect(await group.store.elect('a', memberOf('a').session)).toBe(epoch + 1);
  });

  test('UNKNOWN_MEMBER: not in the group, or by another session', async ({ group }) => {
    expect(await group.store.elect('a', 's')).toBeNull();
    await group.join('a', { session: 's2' });
    expect(await group.store.elect('a', 's')).toBeNull();
    expect((await group.store.snapshot()).leader).toEqual({ memberId: '', epoch: 0 });
  });
});

test('a leader that leaves before it could resign takes the lock along', async ({ group }) => {
  await group.lead('a');
  await group.redis.set(group.keys.leaderLock, 'of a');
  await group.join('b');
  expect(await group.store.leave('b', memberOf('b').session)).toBe('LEFT');
  expect(await group.redis.exists(group.keys.leaderLock)).toBe(1);
  expect(await group.store.leave('a', memberOf('a').session)).toBe('LEFT');
  expect(await group.redis.exists(group.keys.leaderLock)).toBe(0);
});

describe('depose-leader', () => {
  test('OK: a leader that is gone leaves the place and the lock, and the group is woken', async ({
    group,
  }) => {
    const epoch = await group.lead('a');
    await group.redis.set(group.keys.leaderLock, 'of a');
    const wakes = await group.listen();
    expect(await group.store.depose({ memberId: 'a', epoch }, 'gone')).toBe('OK');
    expect((await group.store.snapshot()).leader).toEqual({ memberId: '', epoch });
    expect(await group.redis.exists(group.keys.leaderLock)).toBe(0);
    expect((await group.history()).at(-1)).toBe(`leader-gone member=a leaderEpoch=${epoch}`);
    await eventually(() => expect(wakes).toHaveLength(1));
  });

  test('OK: it stays a member, whose partitions are another matter', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.store.depose({ memberId: 'a', epoch }, 'gone');
    const { members, generation } = await group.store.snapshot();
    expect([...members.keys()]).toEqual(['a']);
    expect(generation).toBe(1);
  });

  test('PRESENT: it is back, and leads on', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.appear('a');
    await group.redis.set(group.keys.leaderLock, 'of a');
    expect(await group.store.depose({ memberId: 'a', epoch }, 'gone')).toBe('PRESENT');
    expect((await group.store.snapshot()).leader.memberId).toBe('a');
    expect(await group.redis.exists(group.keys.leaderLock)).toBe(1);
  });

  test.for(['resigned', 'silent'] as const)('OK: %s, although it is present', async (reason, { group }) => {
    const epoch = await group.lead('a');
    await group.appear('a');
    expect(await group.store.depose({ memberId: 'a', epoch }, reason)).toBe('OK');
    expect((await group.store.snapshot()).leader.memberId).toBe('');
  });

  test('STALE: a slow watcher does not depose the successor, be it the same member', async ({ group }) => {
    const epoch = await group.lead('a');
    const { session } = await group.join('b');
    await group.store.elect('b', session);
    await group.redis.set(group.keys.leaderLock, 'of b');
    expect(await group.store.depose({ memberId: 'a', epoch }, 'gone')).toBe('STALE');
    expect(await group.store.depose({ memberId: 'b', epoch }, 'gone')).toBe('STALE');
    expect(await group.store.depose({ memberId: 'a', epoch: epoch + 1 }, 'gone')).toBe('STALE');
    expect((await group.store.snapshot()).leader).toEqual({ memberId: 'b', epoch: epoch + 1 });
    expect(await group.redis.exists(group.keys.leaderLock)).toBe(1);
  });

  test('STALE: the second time, and where nobody has ever led', async ({ group }) => {
    expect(await group.store.depose({ memberId: 'a', epoch: 0 }, 'gone')).toBe('STALE');
    const epoch = await group.lead('a');
    await group.store.depose({ memberId: 'a', epoch }, 'gone');
    expect(await group.store.depose({ memberId: 'a', epoch }, 'gone')).toBe('STALE');
  });
});

describe('evict-member', () => {
  test('OK: a member whose lease is over, present or not', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.appear('b');
    await group.join('b');
    const wakes = await group.listen();
    expect(await group.store.evict(epoch, 'b', 1, 'lease')).toBe('OK');
    const { generation, members, beats } = await group.store.snapshot();
    expect(generation).toBe(3);
    expect([...members.keys(), ...beats.keys()]).toEqual(['a', 'a']);
    expect((await group.history()).at(-1)).toBe('member-evicted member=b reason=lease generation=3');
    await eventually(() => expect(wakes).toEqual(['generation']));
  });

  test('OK: a member whose presence is gone', async ({ group }) => {
    const epoch = await group.lead('a');
    const disappear = await group.appear('b');
    await group.join('b');
    await disappear();
    expect(await group.store.evict(epoch, 'b', 1, 'presence')).toBe('OK');
    expect((await group.history()).at(-1)).toBe('member-evicted member=b reason=presence generation=3');
  });

  test('ALIVE: it is present again', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.join('b');
    await group.appear('b');
    expect(await group.store.evict(epoch, 'b', 1, 'presence')).toBe('ALIVE');
    expect((await group.store.snapshot()).members.has('b')).toBe(true);
  });

  test.for(['lease', 'presence'] as const)(
    'ALIVE: it has renewed since it was seen, whatever it was found dead by: %s',
    async (reason, { group }) => {
      const epoch = await group.lead('a');
      const { session } = await group.join('b');
      await group.store.heartbeat('b', session);
      expect(await group.store.evict(epoch, 'b', 1, reason)).toBe('ALIVE');
      const { generation, members } = await group.store.snapshot();
      expect([generation, members.has('b')]).toEqual([2, true]);
    },
  );

  test('ALIVE: a static member that came back has another beat', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.join('static-1');
    await group.store.join(memberOf('static-1', { session: 's2' }), { beat: 1, evenIfPresent: true });
    expect(await group.store.evict(epoch, 'static-1', 1, 'lease')).toBe('ALIVE');
  });

  test('STALE: the caller leads no longer, and evicts nobody', async ({ group }) => {
    const epoch = await group.lead('a');
    const { session } = await group.join('b');
    await group.store.elect('b', session);
    expect(await group.store.evict(epoch, 'b', 1, 'lease')).toBe('STALE');
    expect(await group.store.evict(epoch + 2, 'b', 1, 'lease')).toBe('STALE');
    expect((await group.store.snapshot()).members.has('b')).toBe(true);
  });

  test('UNKNOWN_MEMBER: the second time, and the generation rises once', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.join('b');
    await group.store.evict(epoch, 'b', 1, 'lease');
    expect(await group.store.evict(epoch, 'b', 1, 'lease')).toBe('UNKNOWN_MEMBER');
    expect(await group.store.evict(epoch, 'never', 1, 'presence')).toBe('UNKNOWN_MEMBER');
    expect((await group.store.snapshot()).generation).toBe(3);
  });
});

describe('bump-generation', () => {
  test('OK: the topics have changed, and the history says how', async ({ group }) => {
    const epoch = await group.lead('a');
    expect(await group.store.bumpGeneration(epoch, 1, 'orders 4 → 8')).toBe(2);
    expect((await group.store.snapshot()).generation).toBe(2);
    expect((await group.history()).at(-1)).toBe('topics-changed what=orders 4 → 8 generation=2');
  });

  test('STALE: by generation, so that sent twice it raises once', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.store.bumpGeneration(epoch, 1, 'x');
    expect(await group.store.bumpGeneration(epoch, 1, 'x')).toBeNull();
    expect((await group.store.snapshot()).generation).toBe(2);
  });

  test('STALE: by leader epoch', async ({ group }) => {
    const epoch = await group.lead('a');
    const { session } = await group.join('b');
    await group.store.elect('b', session);
    expect(await group.store.bumpGeneration(epoch, 2, 'x')).toBeNull();
    expect((await group.store.snapshot()).generation).toBe(2);
  });

  test('STALE: in a group where nobody has ever led', async ({ group }) => {
    expect(await group.store.bumpGeneration(0, 0, 'x')).toBeNull();
    expect(await group.redis.exists(group.keys.state)).toBe(0);
  });
});

describe('publish-assignment', () => {
  test('OK: replaces what was published, names the deputies, and wakes the members', async ({ group }) => {
    const epoch = await group.lead('a');
    const wakes = await group.listen();
    await group.assign(epoch, 'gone', 0, 1, 2);
    const assignment = assignmentOf({ a: [0, 1], b: [2] });
    const outcome = await group.store.publish({
      leaderEpoch: epoch,
      generation: 1,
      assignment,
      incarnations: new Map(),
      deputies: ['b', 'c'],
      moves: 3,
      orphans: new Map(),
    });
    expect(outcome).toBe('OK');
    expect((await group.store.readAssignment()).assignment).toEqual(assignment);
    expect(await group.store.snapshot()).toMatchObject({ assignmentGeneration: 1, deputies: ['b', 'c'] });
    expect((await group.history()).at(-1)).toBe(`assigned generation=1 moves=3 leaderEpoch=${epoch}`);
    await eventually(() => expect(wakes).toEqual(['assignment', 'assignment']));
  });

  test('OK: sent twice it says the same', async ({ group }) => {
    const epoch = await group.lead('a');
    const request = { ...EMPTY, leaderEpoch: epoch, generation: 1, assignment: assignmentOf({ a: [0] }) };
    expect([await group.store.publish(request), await group.store.publish(request)]).toEqual(['OK', 'OK']);
    expect(await group.store.readTarget('a')).toMatchObject({
      assignmentGeneration: 1,
      partitions: ['orders/0'],
    });
  });

  test('OK: an assignment to nobody empties the former one', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.assign(epoch, 'a', 0);
    await group.store.publish({ ...EMPTY, leaderEpoch: epoch, generation: 1 });
    expect(await group.store.readTarget('a')).toMatchObject({ assignmentGeneration: 1, partitions: [] });
  });

  test('OK: takes orphaned entries away, those that are still what the leader saw', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.redis.hset(group.keys.owners, {
      'orders/0': '7 dead',
      'orders/1': '9 a',
      'orders/2': '7 dead',
      'orders/3': '7 dead',
    });
    const seen = { memberId: 'dead', claim: 7 };
    await group.store.publish({
      ...EMPTY,
      leaderEpoch: epoch,
      generation: 1,
      assignment: assignmentOf({ a: [2] }),
      orphans: new Map([
        ['orders/0', seen],
        ['orders/1', seen],
        ['orders/3', { memberId: 'dead', claim: 6 }],
        ['orders/9', seen],
      ]),
    });
    expect(await group.redis.hgetall(group.keys.owners)).toEqual({
      'orders/1': '9 a',
      'orders/2': '7 dead',
      'orders/3': '7 dead',
    });
    expect((await group.store.readTarget('a')).partitions).toEqual(['orders/2']);
  });

  test('OK: of 10,000 partitions that no run shortens, members, and orphans, in one call', async ({
    group,
  }) => {
    const epoch = await group.lead('a');
    const partitions = Array.from({ length: 10_000 }, (_, index) => 2 * index);
    const members = partitions.map((index) => [`idle-${index}`, new Map<string, number[]>()] as const);
    const assignment = assignmentFromMembers([['a', new Map([['orders', partitions]])], ...members]);
    const dead = { memberId: 'dead', claim: 7 };
    const orphans = new Map(partitions.map((index): [PartitionKey, Claim] => [`gone/${index}`, dead]));
    await group.redis.hset(group.keys.owners, new Map([...orphans.keys()].map((key) => [key, '7 dead'])));
    const request = { ...EMPTY, leaderEpoch: epoch, generation: 1, assignment, orphans };
    expect(await group.store.publish(request)).toBe('OK');
    expect(await group.store.readAssignment()).toMatchObject({ generation: 1, assignment });
    expect((await group.store.readTarget('a')).partitions).toEqual(
      partitions.map((index) => `orders/${index}`),
    );
    expect(await group.redis.exists(group.keys.owners)).toBe(0);
  });

  test('OK: more orphans than one call takes go with the next assignments', async ({ group }) => {
    const epoch = await group.lead('a');
    const dead = { memberId: 'dead', claim: 7 };
    const orphans = new Map(
      Array.from({ length: 100_000 }, (_, index) => [`gone/${index}` as PartitionKey, dead]),
    );
    await group.redis.hset(group.keys.owners, {
      'gone/0': '7 dead',
      'gone/9999': '7 dead',
      'gone/10000': '7 dead',
    });
    expect(await group.store.publish({ ...EMPTY, leaderEpoch: epoch, generation: 1, orphans })).toBe('OK');
    expect(await group.redis.hkeys(group.keys.owners)).toEqual(['gone/10000']);
  });

  test('STALE: by generation, what was published before stays', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.assign(epoch, 'a', 0);
    await group.join('b');
    await group.redis.hset(group.keys.owners, 'orders/5', '7 dead');
    const request = { ...EMPTY, orphans: new Map([['orders/5', { memberId: 'dead', claim: 7 }]] as const) };
    for (const generation of [1, 3]) {
      expect(await group.store.publish({ ...request, leaderEpoch: epoch, generation })).toBe('STALE');
    }
    expect(await group.store.readTarget('a')).toMatchObject({
      assignmentGeneration: 1,
      partitions: ['orders/0'],
    });
    expect(await group.redis.hget(group.keys.owners, 'orders/5')).toBe('7 dead');
  });

  test('STALE: by leader epoch: of two leaders one wastes its computation', async ({ group }) => {
    const epoch = await group.lead('a');
    const heir = await group.store.elect('a', memberOf('a').session);
    await group.assign(heir ?? 0, 'a', 0);
    expect(await group.store.publish({ ...EMPTY, leaderEpoch: epoch, generation: 1 })).toBe('STALE');
    expect((await group.store.readTarget('a')).partitions).toEqual(['orders/0']);
  });
});
