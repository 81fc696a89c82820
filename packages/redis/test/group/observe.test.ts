/** The scripts that only read: watch-group, read-group, read-target, read-assignment. */
import { describe, expect } from 'vitest';
import { readTarget } from '../../src/group/observe.ts';
import { assignmentOf, memberOf, test } from './group-fixture.ts';

describe('watch-group', () => {
  test('gives the presence and the beat of those that are asked for, in any order', async ({ group }) => {
    await group.appear('b');
    await group.appear('b');
    await group.join('a');
    const { session } = await group.join('b');
    await group.store.heartbeat('b', session);
    const { signs } = await group.store.watch(['b', 'unknown', 'a']);
    expect([...signs]).toEqual([
      ['b', { subscribers: 2, beat: 2 }],
      ['unknown', { subscribers: 0, beat: null }],
      ['a', { subscribers: 0, beat: 1 }],
    ]);
  });

  test('sees an absence as soon as the connection is closed', async ({ group }) => {
    const disappear = await group.appear('a');
    expect((await group.store.watch(['a'])).signs.get('a')?.subscribers).toBe(1);
    await disappear();
    expect((await group.store.watch(['a'])).signs.get('a')?.subscribers).toBe(0);
  });

  test('tells where the group stands, and the time of the server', async ({ group }) => {
    const epoch = await group.lead('a');
    const timeMs = async (): Promise<number> => {
      const [seconds, microseconds] = await group.redis.time();
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    };
    const beforeMs = await timeMs();
    const { serverTimeMs, ...watch } = await group.store.watch([]);
    expect(watch).toEqual({
      generation: 1,
      assignmentGeneration: 0,
      leader: { memberId: 'a', epoch },
      deputies: [],
      server: expect.stringMatching(/^\w{40}$/),
      signs: new Map(),
    });
    expect(serverTimeMs).toBeGreaterThanOrEqual(beforeMs);
    expect(serverTimeMs).toBeLessThanOrEqual(await timeMs());
  });

  test('of a group that does not exist gives zeros', async ({ group }) => {
    expect(await group.store.watch(['a'])).toMatchObject({
      generation: 0,
      leader: { memberId: '', epoch: 0 },
      signs: new Map([['a', { subscribers: 0, beat: null }]]),
    });
  });

  test('of 10,000 members is one call, beyond what Lua can unpack at once', async ({ group }) => {
    const memberIds = Array.from({ length: 10_000 }, (_, index) => `member-${index}`);
    await group.redis.hset(
      group.keys.beats,
      new Map(memberIds.map((memberId, index) => [memberId, index + 1])),
    );
    await group.appear('member-2999');
    await group.appear('member-3000');
    await group.appear('member-9999');
    const { signs } = await group.store.watch(memberIds);
    expect([...signs.keys()]).toEqual(memberIds);
    expect([...signs.values()].map((sign) => sign.beat)).toEqual(memberIds.map((_, index) => index + 1));
    expect([...signs].filter(([, sign]) => sign.subscribers > 0).map(([memberId]) => memberId)).toEqual([
      'member-2999',
      'member-3000',
      'member-9999',
    ]);
  });
});

describe('read-group', () => {
  test('of a group that does not exist is empty', async ({ group }) => {
    expect(await group.store.snapshot()).toEqual({
      generation: 0,
      assignmentGeneration: 0,
      leader: { memberId: '', epoch: 0 },
      deputies: [],
      members: new Map(),
      beats: new Map(),
      owners: new Map(),
    });
  });

  test('has members, beats and owners as of one moment', async ({ group }) => {
    const epoch = await group.lead('a');
    const b = await group.join('b');
    const assignmentGeneration = await group.assign(epoch, 'b', 0, 1);
    await group.store.claim({ ...b, assignmentGeneration, partitions: ['orders/0', 'orders/1'], lowest: 0 });
    expect(await group.store.snapshot()).toEqual({
      generation: 2,
      assignmentGeneration: 2,
      leader: { memberId: 'a', epoch },
      deputies: [],
      members: new Map([
        ['a', memberOf('a')],
        ['b', b],
      ]),
      beats: new Map([
        ['a', 1],
        ['b', 1],
      ]),
      owners: new Map([
        ['orders/0', { memberId: 'b', claim: 1 }],
        ['orders/1', { memberId: 'b', claim: 1 }],
      ]),
    });
  });
});

describe('read-target', () => {
  test('gives a member its own partitions, and where the group stands', async ({ group }) => {
    const epoch = await group.lead('a');
    await group.join('b');
    await group.store.publish({
      leaderEpoch: epoch,
      generation: 2,
      assignment: assignmentOf({ a: [0, 1, 5], b: [2, 3, 4] }),
      incarnations: new Map([
        ['orders', '5-x_Y-z'],
        ['audit.log', '7-q'],
      ]),
      deputies: ['b'],
      moves: 0,
      orphans: new Map(),
    });
    expect(await group.store.readTarget('a')).toEqual({
      generation: 2,
      assignmentGeneration: 2,
      leader: { memberId: 'a', epoch },
      deputies: ['b'],
      partitions: ['orders/0', 'orders/1', 'orders/5'],
      incarnations: new Map([
        ['orders', '5-x_Y-z'],
        ['audit.log', '7-q'],
      ]),
    });
    expect((await group.store.readTarget('b')).partitions).toEqual(['orders/2', 'orders/3', 'orders/4']);
  });

  test('is empty before the first assignment, and for who is not in it', async ({ group }) => {
    expect(await group.store.readTarget('a')).toMatchObject({ assignmentGeneration: 0, partitions: [] });
    const epoch = await group.lead('a');
    await group.assign(epoch, 'a', 0);
    expect(await group.store.readTarget('b')).toMatchObject({ assignmentGeneration: 1, partitions: [] });
  });

  test('of a member id that is also a field of every object is still its own', async ({ group }) => {
    expect((await readTarget(group.redis, group.keys, '__proto__')).partitions).toEqual([]);
  });
});

describe('read-assignment', () => {
  test('gives back what was published, idle members included', async ({ group }) => {
    const epoch = await group.lead('a');
    const assignment = assignmentOf({ a: [0, 2], b: [1], idle: [] });
    await group.store.publish({
      leaderEpoch: epoch,
      generation: 1,
      assignment,
      incarnations: new Map(),
      deputies: [],
      moves: 0,
      orphans: new Map(),
    });
    expect(await group.store.readAssignment()).toMatchObject({ generation: 1, assignment });
  });

  test('before the first assignment is empty', async ({ group }) => {
    expect(await group.store.readAssignment()).toEqual({
      generation: 0,
      assignment: assignmentOf({}),
      incarnations: new Map(),
    });
  });
});
