import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyAssignment } from './assignment.ts';
import { roundRobinAssignor } from './round-robin-assignor.ts';
import { membersOf, ownedIn, sizesOf, sortedSizes, topicsOf } from './scenarios/group.ts';
import type { AssignmentInput } from './types.ts';
import { verifyAssignment } from './verify-assignment.ts';

const BOTH = ['t1', 't2'];

function inputOf(
  topics: Record<string, number>,
  members: Record<string, readonly string[]>,
): AssignmentInput {
  return { members: membersOf(members), topics: topicsOf(topics), current: emptyAssignment };
}

describe('the round-robin assignor', () => {
  test('deals all partitions in turn and goes on with the next topic where it stopped', () => {
    expect(ownedIn(roundRobinAssignor.assign(inputOf({ t2: 3, t1: 3 }, { c2: BOTH, c1: BOTH })))).toEqual({
      c1: { t1: [0, 2], t2: [1] },
      c2: { t1: [1], t2: [0, 2] },
    });
  });

  test('the turn passes over members that do not subscribe', () => {
    const input = inputOf({ t1: 2, t2: 3 }, { c1: BOTH, c2: ['t2'], c3: BOTH });
    expect(ownedIn(roundRobinAssignor.assign(input))).toEqual({
      c1: { t1: [0], t2: [0] },
      c2: { t2: [1] },
      c3: { t1: [1], t2: [2] },
    });
  });

  test('is uneven where subscriptions differ: 3, 3, 0, 2', () => {
    const all = ['t1', 't2', 't3', 't4', 't5'];
    const odd = ['t1', 't3', 't5'];
    const input = inputOf({ t1: 2, t2: 1, t3: 2, t4: 1, t5: 2 }, { c1: all, c2: odd, c3: odd, c4: all });
    expect(sizesOf(roundRobinAssignor.assign(input))).toEqual({ c1: 3, c2: 3, c3: 0, c4: 2 });
  });

  test('an unchanged group gets the same object back', () => {
    const input = inputOf({ t1: 5 }, { c1: ['t1'], c2: ['t1'] });
    const first = roundRobinAssignor.assign(input);
    expect(roundRobinAssignor.assign({ ...input, current: first })).toBe(first);
  });

  test('deals as one turn per partition would, and is always valid', () => {
    const topics = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(9));
    const subscriptions = fc.dictionary(fc.string({ minLength: 1 }), fc.subarray(['a', 'b', 'c', 'gone']));
    fc.assert(
      fc.property(topics, subscriptions, (counts, members) => {
        const input = inputOf(counts, members);
        const assignment = roundRobinAssignor.assign(input);
        expect(verifyAssignment(input, assignment)).toEqual([]);
        expect(assignment.owners).toEqual(dealtOneByOne(input));
      }),
    );
  });

  test('sizes are within one of each other when all subscribe alike', () => {
    const sizes = sortedSizes(
      roundRobinAssignor.assign(inputOf({ t1: 7, t2: 8 }, { c1: BOTH, c2: BOTH, c3: BOTH, c4: BOTH })),
    );
    expect(sizes).toEqual([3, 4, 4, 4]);
  });
});

/** The definition, taken literally. */
function dealtOneByOne(input: AssignmentInput): Map<string, Int32Array> {
  const members = input.members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));
  let turn = 0;
  return new Map(
    [...input.topics.keys()].toSorted().map((topic) => {
      const isSubscribed = members.some((member) => member.topics.includes(topic));
      const owners = Array.from({ length: input.topics.get(topic)! }, () => {
        if (!isSubscribed) return -1;
        while (!members[turn % members.length]!.topics.includes(topic)) turn++;
        return turn++ % members.length;
      });
      return [topic, Int32Array.from(owners)];
    }),
  );
}
