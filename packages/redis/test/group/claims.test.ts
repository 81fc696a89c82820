/** Every status of claim-partitions, and unclaim-partitions: release before grant, in the group's slot. */
import type { ClaimRequest, ClaimResult, MemberDescription, PartitionKey } from '@millrace/core';
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { claimPartitions, unclaimPartitions } from '../../src/group/claims.ts';
import { test as groupTest, type GroupFixture } from './group-fixture.ts';

interface ClaimFixture {
  readonly a: MemberDescription;
  readonly b: MemberDescription;
  readonly leaderEpoch: number;
  readonly generation: number;
  claim(
    member: MemberDescription,
    partitions: readonly PartitionKey[],
    overrides?: Partial<ClaimRequest>,
  ): Promise<ClaimResult>;
}

/** Members `a`, who leads, and `b`; an assignment is published, so that claims have one to act on. */
const test = groupTest.extend<{ claims: ClaimFixture }>({
  claims: async ({ group }, use) => {
    const leaderEpoch = await group.lead('a');
    const { members } = await group.store.snapshot();
    const b = await group.join('b');
    const generation = await group.assign(leaderEpoch, 'a', 0, 1, 2);
    await use({
      a: members.get('a') ?? b,
      b,
      leaderEpoch,
      generation,
      claim: ({ memberId, session }, partitions, overrides) =>
        claimPartitions(group.redis, group.keys, {
          memberId,
          session,
          assignmentGeneration: generation,
          partitions,
          lowest: 0,
          ...overrides,
        }),
    });
  },
});

const claimed = (
  claim: number,
  granted: PartitionKey[],
  held: Partial<Record<PartitionKey, string>> = {},
) => ({
  status: 'CLAIMED',
  claim,
  granted,
  held: new Map(Object.entries(held)),
});

const ownersOf = (group: GroupFixture): Promise<Record<string, string>> =>
  group.redis.hgetall(group.keys.owners);

describe('CLAIMED', () => {
  test('what is free is granted, with a number', async ({ group, claims }) => {
    expect(await claims.claim(claims.a, ['orders/0', 'orders/1'])).toEqual(
      claimed(1, ['orders/0', 'orders/1']),
    );
    expect(await ownersOf(group)).toEqual({ 'orders/0': '1 a', 'orders/1': '1 a' });
  });

  test('release before grant: what a living member claims is held, and by whom', async ({
    group,
    claims,
  }) => {
    await claims.claim(claims.a, ['orders/0']);
    expect(await claims.claim(claims.b, ['orders/0', 'orders/1'])).toEqual(
      claimed(2, ['orders/1'], { 'orders/0': 'a' }),
    );
    expect(await ownersOf(group)).toEqual({ 'orders/0': '1 a', 'orders/1': '2 b' });
  });

  test('numbers only rise, also when nothing is granted or asked for', async ({ claims }) => {
    await claims.claim(claims.a, ['orders/0']);
    expect(await claims.claim(claims.b, ['orders/0'])).toEqual(claimed(2, [], { 'orders/0': 'a' }));
    expect(await claims.claim(claims.b, [])).toEqual(claimed(3, []));
    expect(await claims.claim(claims.a, ['orders/1'])).toEqual(claimed(4, ['orders/1']));
  });

  test('sent twice grants twice, the second time with a later number', async ({ group, claims }) => {
    await claims.claim(claims.a, ['orders/0']);
    expect(await claims.claim(claims.a, ['orders/0'])).toEqual(claimed(2, ['orders/0']));
    expect(await ownersOf(group)).toEqual({ 'orders/0': '2 a' });
  });

  test('the number is raised past what the partition has seen, and goes on from there', async ({
    claims,
  }) => {
    expect(await claims.claim(claims.a, ['orders/0'], { lowest: 2 ** 52 })).toEqual(
      claimed(2 ** 52, ['orders/0']),
    );
    expect(await claims.claim(claims.a, ['orders/1'])).toEqual(claimed(2 ** 52 + 1, ['orders/1']));
    expect(await claims.claim(claims.a, ['orders/2'], { lowest: 5 })).toEqual(
      claimed(2 ** 52 + 2, ['orders/2']),
    );
  });

  test.for(['left', 'was evicted'])(
    'what a member held that %s is free at once',
    async (how, { group, claims }) => {
      await claims.claim(claims.b, ['orders/0']);
      if (how === 'left') await group.store.leave('b', claims.b.session);
      else await group.store.evict(claims.leaderEpoch, 'b', 1, 'lease');
      const assignmentGeneration = await group.assign(claims.leaderEpoch, 'a', 0);
      expect(await claims.claim(claims.a, ['orders/0'], { assignmentGeneration })).toEqual(
        claimed(2, ['orders/0']),
      );
      expect(await ownersOf(group)).toEqual({ 'orders/0': '2 a' });
    },
  );

  test('of 10,000 partitions in one call grants each of them', async ({ group, claims }) => {
    const partitions = Array.from({ length: 10_000 }, (_, index): PartitionKey => `orders/${index}`);
    await claims.claim(claims.b, ['orders/9999']);
    expect(await claims.claim(claims.a, partitions)).toEqual(
      claimed(2, partitions.slice(0, -1), { 'orders/9999': 'b' }),
    );
    expect(await group.redis.hlen(group.keys.owners)).toBe(10_000);
  });
});

describe('STALE_ASSIGNMENT', () => {
  test('a newer assignment is published, or it is of no generation at all', async ({ group, claims }) => {
    for (const assignmentGeneration of [claims.generation - 1, claims.generation + 1, 0]) {
      expect(await claims.claim(claims.a, ['orders/0'], { assignmentGeneration })).toEqual({
        status: 'STALE_ASSIGNMENT',
      });
    }
    expect(await ownersOf(group)).toEqual({});
    expect(await claims.claim(claims.a, [])).toEqual(claimed(1, []));
  });

  test('a generation that is not assigned yet does not matter', async ({ group, claims }) => {
    await group.join('c');
    expect(await claims.claim(claims.a, ['orders/0'])).toEqual(claimed(1, ['orders/0']));
  });
});

describe('UNKNOWN_MEMBER', () => {
  test('not in the group, or in it by another session', async ({ group, claims }) => {
    for (const stranger of [
      { ...claims.a, memberId: 'never' },
      { ...claims.a, session: 'another' },
      { ...claims.a, session: claims.a.session.slice(0, -1) },
    ]) {
      expect(await claims.claim(stranger, ['orders/0'])).toEqual({ status: 'UNKNOWN_MEMBER' });
    }
    expect(await ownersOf(group)).toEqual({});
  });
});

describe('unclaim-partitions', () => {
  test('gives partitions up and wakes who waits, once for all of them', async ({ group, claims }) => {
    await claims.claim(claims.a, ['orders/0', 'orders/1', 'orders/2']);
    const wakes = await group.listen();
    const given = new Map<PartitionKey, number>([
      ['orders/0', 1],
      ['orders/1', 1],
    ]);
    expect(await unclaimPartitions(group.redis, group.keys, 'a', given)).toBe(2);
    expect(await ownersOf(group)).toEqual({ 'orders/2': '1 a' });
    expect(await claims.claim(claims.b, ['orders/0'])).toEqual(claimed(2, ['orders/0']));
    await eventually(() => expect(wakes).toEqual(['released']));
  });

  test('leaves alone what has been claimed again since, by anybody', async ({ group, claims }) => {
    await claims.claim(claims.a, ['orders/0', 'orders/1']);
    await claims.claim(claims.a, ['orders/0']);
    const late = new Map<PartitionKey, number>([['orders/0', 1]]);
    expect(await unclaimPartitions(group.redis, group.keys, 'a', late)).toBe(0);
    expect(await unclaimPartitions(group.redis, group.keys, 'b', new Map([['orders/1', 1]]))).toBe(0);
    expect(await ownersOf(group)).toEqual({ 'orders/0': '2 a', 'orders/1': '1 a' });
  });

  test('sent twice removes once, and wakes nobody for nothing', async ({ group, claims }) => {
    await claims.claim(claims.a, ['orders/0']);
    const wakes = await group.listen();
    const given = new Map<PartitionKey, number>([['orders/0', 1]]);
    expect(await unclaimPartitions(group.redis, group.keys, 'a', given)).toBe(1);
    expect(await unclaimPartitions(group.redis, group.keys, 'a', given)).toBe(0);
    expect(await unclaimPartitions(group.redis, group.keys, 'a', new Map())).toBe(0);
    await group.join('c');
    await eventually(() => expect(wakes).toEqual(['released', 'generation']));
  });
});

describe('through the store', () => {
  const partitions = Array.from({ length: 4500 }, (_, index): PartitionKey => `orders/${index}`);

  test('a claim answers for its first 2,000 partitions, the rest are asked for again', async ({
    group,
    claims,
  }) => {
    const request = { ...claims.a, assignmentGeneration: claims.generation, partitions, lowest: 0 };
    expect(await group.store.claim(request)).toEqual(claimed(1, partitions.slice(0, 2000)));
  });

  test('an unclaim gives all of them up', async ({ group, claims }) => {
    await claims.claim(claims.a, partitions);
    await group.store.unclaim('a', new Map(partitions.map((partition) => [partition, 1])));
    expect(await ownersOf(group)).toEqual({});
  });
});
