/**
 * The sticky assignor against brute force. What its docstring promises about moves is proven here for small groups, and
 * rests for large ones on the same algorithm.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignmentFromMembers } from '../assignment-from-members.ts';
import { countMoves, emptyAssignment, partitionsByMember } from '../assignment.ts';
import { stickyAssignor } from '../sticky-assignor.ts';
import type { Assignment, AssignmentInput, AssignmentMember } from '../types.ts';
import { faultsOf } from './faults.ts';
import { sizesOf } from './group.ts';
import { assignmentsToTry, optimumOf } from './oracle.ts';

const TOPICS = ['t1', 't2', 't3', 't4'];
const MOST_TRIES = 20_000;

const topicCounts = fc
  .array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 })
  .map((counts) => new Map(counts.map((count, t) => [TOPICS[t]!, count])));

function membersWith(subscription: fc.Arbitrary<string[]>): fc.Arbitrary<AssignmentMember[]> {
  return fc
    .array(subscription, { minLength: 1, maxLength: 5 })
    .map((subscriptions) => subscriptions.map((topics, m) => ({ memberId: `c${m}`, topics })));
}

const everyTopic = membersWith(fc.constant(TOPICS));
const anyTopics = membersWith(fc.subarray(TOPICS, { minLength: 1 }));

/** Owners drawn at random, some of them gone by now, some partitions free: as bad as it can be. */
function disorderOf(topics: ReadonlyMap<string, number>): fc.Arbitrary<Assignment> {
  const partitions = [...topics].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, p) => ({ topic, p })),
  );
  return fc
    .array(fc.integer({ min: -1, max: 6 }), { minLength: partitions.length, maxLength: partitions.length })
    .map((owners) => {
      const owned = new Map<string, Map<string, number[]>>();
      for (const [i, { topic, p }] of partitions.entries()) {
        if (owners[i]! < 0) continue;
        const memberId = `c${owners[i]}`;
        const lists = owned.get(memberId) ?? new Map<string, number[]>();
        owned.set(memberId, lists.set(topic, [...(lists.get(topic) ?? []), p]));
      }
      return assignmentFromMembers(owned);
    });
}

function disordered(members: fc.Arbitrary<AssignmentMember[]>): fc.Arbitrary<AssignmentInput> {
  return fc
    .record({ members, topics: topicCounts })
    .chain(({ members, topics }) => disorderOf(topics).map((current) => ({ members, topics, current })))
    .filter((input) => assignmentsToTry(input) <= MOST_TRIES);
}

/** One member joins, leaves, or both at once, in a group that is even. */
function afterOneChange(members: fc.Arbitrary<AssignmentMember[]>): fc.Arbitrary<AssignmentInput> {
  return fc
    .record({ members, topics: topicCounts, change: fc.constantFrom('join', 'leave', 'both') })
    .filter(({ members }) => members.length >= 3)
    .map(({ members, topics, change }) => {
      const before = change === 'leave' ? members : members.slice(0, -1);
      const after = change === 'join' ? members : members.slice(1);
      const current = stickyAssignor.assign({ members: before, topics, current: emptyAssignment });
      return { members: after, topics, current };
    })
    .filter((input) => assignmentsToTry(input) <= MOST_TRIES);
}

function costOf(input: AssignmentInput): { moves: number; cost: number } {
  const after = stickyAssignor.assign(input);
  expect(faultsOf(input, after)).toEqual([]);
  const moves = countMoves(input.current, after);
  const squares = Object.values(sizesOf(after)).reduce((sum, size) => sum + size * size, 0) / 2;
  return { moves, cost: moves + squares };
}

describe('against every possible assignment', () => {
  test('equal subscriptions: no even assignment has fewer moves', () => {
    fc.assert(
      fc.property(fc.oneof(disordered(everyTopic), afterOneChange(everyTopic)), (input) => {
        expect(costOf(input).moves).toBe(optimumOf(input).fewestMoves);
      }),
      { numRuns: 300 },
    );
  });

  test('any subscriptions, any disorder: moves + half the squared sizes are the least there is', () => {
    fc.assert(
      fc.property(disordered(anyTopics), (input) => {
        expect(costOf(input).cost).toBe(optimumOf(input).leastCost);
      }),
      { numRuns: 500 },
    );
  });

  test('any subscriptions, one join or leave: the fewest moves of all even assignments, or one more', () => {
    fc.assert(
      fc.property(afterOneChange(anyTopics), (input) => {
        const { moves, cost } = costOf(input);
        const { fewestMoves, leastCost } = optimumOf(input);
        expect(moves - fewestMoves).toBeOneOf([0, 1]);
        expect(cost).toBe(leastCost);
      }),
      { numRuns: 500 },
    );
  });

  test('what is even already is the answer, whoever made it', () => {
    fc.assert(
      fc.property(evenForOtherNames(anyTopics), (input) => {
        expect(faultsOf(input, input.current)).toEqual([]);
        expect(stickyAssignor.assign(input)).toBe(input.current);
      }),
      { numRuns: 500 },
    );
  });
});

/** Even, but not as the assignor would have made it: computed for the same group under other names. */
function evenForOtherNames(members: fc.Arbitrary<AssignmentMember[]>): fc.Arbitrary<AssignmentInput> {
  return fc.record({ members, topics: topicCounts }).chain(({ members, topics }) => {
    const names = members.map((member) => member.memberId);
    return fc.shuffledSubarray(names, { minLength: names.length }).map((others) => {
      const renamed = members.map((member, m) => ({ ...member, memberId: others[m]! }));
      const even = stickyAssignor.assign({ members: renamed, topics, current: emptyAssignment });
      const owned = partitionsByMember(even);
      const current = assignmentFromMembers(
        names.map((memberId, m) => [memberId, owned.get(others[m]!)!] as const),
      );
      return { members, topics, current };
    });
  });
}
