/** Groups of the size that others test, and larger: what is asserted is that they are right, never how long they take. */
import { describe, expect, test } from 'vitest';
import { countMoves, emptyAssignment } from '../assignment.ts';
import { stickyAssignor } from '../sticky-assignor.ts';
import type { AssignmentMember } from '../types.ts';
import { savingOfBestChain } from './better-chain.ts';
import { faultsOf } from './faults.ts';
import { movesAmongStayers, sizesOf } from './group.ts';
import { seededRandom } from './seeded-random.ts';

function topicsOfSize(count: number, partitions: () => number): Map<string, number> {
  return new Map(Array.from({ length: count }, (_, t) => [`t${String(t).padStart(4, '0')}`, partitions()]));
}

function membersWith(count: number, subscribe: (m: number) => readonly string[]): AssignmentMember[] {
  return Array.from({ length: count }, (_, m) => ({
    memberId: `c${String(m).padStart(4, '0')}`,
    topics: subscribe(m),
  }));
}

function checked(
  members: AssignmentMember[],
  topics: ReadonlyMap<string, number>,
  current = emptyAssignment,
) {
  const assignment = stickyAssignor.assign({ members, topics, current });
  const input = { members, topics, current: assignment };
  expect(faultsOf(input, assignment)).toEqual([]);
  expect(stickyAssignor.assign(input)).toBe(assignment);
  return assignment;
}

describe('large groups', () => {
  test('100 topics of 3, 49 members: sizes within one of each other', () => {
    const topics = topicsOfSize(100, () => 3);
    const sizes = Object.values(
      sizesOf(
        checked(
          membersWith(49, () => [...topics.keys()]),
          topics,
        ),
      ),
    );
    expect(Math.max(...sizes) - Math.min(...sizes)).toBe(1);
  });

  test(
    '1,000,000 partitions, 2,000 equal members, one leaves: only its 500 move',
    { timeout: 60_000 },
    () => {
      const topics = topicsOfSize(500, () => 2000);
      const names = [...topics.keys()];
      const members = membersWith(2000, () => names);
      const before = checked(members, topics);
      const after = checked(members.slice(1), topics, before);
      expect(countMoves(before, after)).toBe(500);
    },
  );

  test('the same, but the last member subscribes to one topic only', { timeout: 60_000 }, () => {
    const topics = topicsOfSize(500, () => 2000);
    const names = [...topics.keys()];
    const members = membersWith(2000, (m) => (m === 1999 ? names.slice(0, 1) : names));
    const sizes = sizesOf(checked(members, topics));
    expect(sizes['c1999']).toBe(1);
    expect(new Set(Object.values(sizes))).toEqual(new Set([1, 500, 501]));
  });

  test('100 topics of 200, 500 members, each of one half of the topics', { timeout: 60_000 }, () => {
    const topics = topicsOfSize(100, () => 200);
    const names = [...topics.keys()];
    const members = membersWith(500, (m) => (m % 2 === 0 ? names.slice(0, 50) : names.slice(50)));
    const sizes = Object.values(sizesOf(checked(members, topics)));
    expect(new Set(sizes)).toEqual(new Set([40]));
  });

  test('40 topics, 200 members with random subscriptions, 50 leave at once', { timeout: 60_000 }, () => {
    const random = seededRandom(40_200);
    const topics = topicsOfSize(40, () => 1 + random.below(30));
    const names = [...topics.keys()];
    const members = membersWith(200, () => names.filter(() => random.below(2) === 0));
    const before = checked(members, topics);
    const stayers = members.filter((_, m) => m % 4 !== 1);
    const after = checked(stayers, topics, before);
    expect(countMoves(before, after)).toBeGreaterThan(movesAmongStayers(before, after));
  });

  test('100 rounds in which every subscription is drawn anew', { timeout: 60_000 }, () => {
    const random = seededRandom(100);
    let current = emptyAssignment;
    for (let round = 0; round < 100; round++) {
      const topics = topicsOfSize(10 + random.below(10), () => random.below(20));
      const names = [...topics.keys()];
      const members = membersWith(20 + random.below(20), () => names.filter(() => random.below(3) > 0));
      current = checked(members, topics, current);
    }
    expect(current.memberIds.length).toBeGreaterThanOrEqual(20);
  });

  test('half of 100 topics at random, one member takes over the subscription of another: only those partitions move', () => {
    const random = seededRandom(9);
    const topics = topicsOfSize(100, () => 1000);
    const names = [...topics.keys()];
    const members = membersWith(1000, () => names.filter(() => random.below(2) === 0));
    const before = checked(members, topics);
    const heir = { memberId: 'heir', topics: members[0]!.topics };
    const after = checked([...members.slice(1), heir], topics, before);
    expect(countMoves(before, after)).toBe(sizesOf(before)['c0000']);
    expect(sizesOf(after)['heir']).toBe(sizesOf(before)['c0000']);
  });

  test('half of 20 topics at random, members come and go: no chain of moves would save anything', () => {
    const random = seededRandom(20);
    const topics = topicsOfSize(20, () => 20 + random.below(200));
    const names = [...topics.keys()];
    const everybody = membersWith(60, () => names.filter(() => random.below(2) === 0));
    let current = emptyAssignment;
    for (let round = 0; round < 20; round++) {
      const members = everybody.filter(() => random.below(20) > 0);
      const after = checked(members, topics, current);
      expect(savingOfBestChain({ members, topics, current }, after)).toBe(0);
      current = after;
    }
  });
});
