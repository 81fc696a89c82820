/** Shares in proportion to capacity. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countMoves, emptyAssignment } from '../assignment.ts';
import { createStickyAssignor, stickyAssignor } from '../sticky-assignor.ts';
import type { AssignmentInput, AssignmentMember } from '../types.ts';
import { verifyAssignment } from '../verify-assignment.ts';
import { ownedBy, sizesOf, topicsOf } from './group.ts';

const weighted = createStickyAssignor({ weighted: true });

function membersOf(
  capacities: Readonly<Record<string, number>>,
  topics: readonly string[],
): AssignmentMember[] {
  return Object.entries(capacities).map(([memberId, capacity]) => ({ memberId, capacity, topics }));
}

describe('weighted by capacity', () => {
  test.each([
    [10, { c1: 1, c2: 1, c3: 3 }, { c1: 2, c2: 2, c3: 6 }],
    [10, { c1: 1, c2: 2 }, { c1: 3, c2: 7 }],
    // Exact shares 1.43, 2.86, 5.71: the largest remainders are those of c2 and c3.
    [10, { c1: 1, c2: 2, c3: 4 }, { c1: 1, c2: 3, c3: 6 }],
    [1, { c1: 1, c2: 5 }, { c1: 0, c2: 1 }],
    [10, { c1: 0.1, c2: 0.2, c3: 0.7 }, { c1: 1, c2: 2, c3: 7 }],
    [3, { c1: 1e-9, c2: 1e9 }, { c1: 0, c2: 3 }],
  ])('%i partitions over %o: the largest remainders', (partitions, capacities, expected) => {
    const input = {
      members: membersOf(capacities, ['t1']),
      topics: topicsOf({ t1: partitions }),
      current: emptyAssignment,
    };
    expect(sizesOf(weighted.assign(input))).toEqual(expected);
  });

  test('ten topics of one partition are shared by capacity too, not all given to the largest', () => {
    const topics = new Map(Array.from({ length: 10 }, (_, t) => [`t${t}`, 1]));
    const members = membersOf({ c1: 1, c2: 1, c3: 3 }, [...topics.keys()]);
    expect(sizesOf(weighted.assign({ members, topics, current: emptyAssignment }))).toEqual({
      c1: 2,
      c2: 2,
      c3: 6,
    });
  });

  test('without the option capacity is not read', () => {
    const input = {
      members: membersOf({ c1: 1, c2: 9 }, ['t1']),
      topics: topicsOf({ t1: 10 }),
      current: emptyAssignment,
    };
    expect(sizesOf(stickyAssignor.assign(input))).toEqual({ c1: 5, c2: 5 });
  });

  test('a member without a capacity has 1', () => {
    const members = [{ memberId: 'c1', topics: ['t1'] }, ...membersOf({ c2: 3 }, ['t1'])];
    expect(
      sizesOf(weighted.assign({ members, topics: topicsOf({ t1: 8 }), current: emptyAssignment })),
    ).toEqual({ c1: 2, c2: 6 });
  });

  test('a member whose capacity doubles takes what it needs; nothing moves among the others', () => {
    const topics = topicsOf({ t1: 40 });
    const before = weighted.assign({
      members: membersOf({ c1: 1, c2: 1, c3: 1, c4: 1 }, ['t1']),
      topics,
      current: emptyAssignment,
    });
    const after = weighted.assign({
      members: membersOf({ c1: 1, c2: 1, c3: 1, c4: 2 }, ['t1']),
      topics,
      current: before,
    });
    expect(sizesOf(after)).toEqual({ c1: 8, c2: 8, c3: 8, c4: 16 });
    expect(countMoves(before, after)).toBe(6);
  });

  test('a remainder that is a little larger elsewhere is not worth a move', () => {
    // Exact shares are 3.33 and 6.67: 4 and 6 are within one of them, and as good as 3 and 7 when they are there already.
    const current = ownedBy({ c1: { t1: [0, 1, 2, 3] }, c2: { t1: [4, 5, 6, 7, 8, 9] } });
    const input = { members: membersOf({ c1: 1, c2: 2 }, ['t1']), topics: topicsOf({ t1: 10 }), current };
    expect(weighted.assign(input)).toBe(current);
  });

  test.each([0, -1, NaN, Infinity])('capacity %d is refused', (capacity) => {
    const input = {
      members: membersOf({ c1: capacity }, ['t1']),
      topics: topicsOf({ t1: 1 }),
      current: emptyAssignment,
    };
    expect(() => weighted.assign(input)).toThrow(
      `member "c1" has capacity ${capacity}: a finite number above 0`,
    );
    expect(() => weighted.assign(input)).toThrow(expect.objectContaining({ code: 'INVALID_ASSIGNMENT' }));
  });

  test('any group, any change: valid, each topic within one of the exact shares, and its own answer', () => {
    const names = ['t1', 't2', 't3'];
    const capacity = fc.oneof(
      fc.integer({ min: 1, max: 9 }),
      fc.double({ min: 0.01, max: 100, noNaN: true }),
    );
    const member = fc.record({ capacity, topics: fc.subarray(names) });
    const group = fc.record({
      members: fc.array(member, { minLength: 1, maxLength: 8 }),
      topics: fc.tuple(fc.nat(40), fc.nat(7), fc.nat(3)),
    });
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 4 }), (rounds) => {
        let current = emptyAssignment;
        for (const round of rounds) {
          const members = round.members.map(({ capacity, topics }, m) => ({
            memberId: `c${m}`,
            capacity,
            topics,
          }));
          const topics = new Map(names.map((name, t) => [name, round.topics[t]!]));
          const after = weighted.assign({ members, topics, current });
          expect(verifyAssignment({ members, topics, current }, after)).toEqual([]);
          expect(distanceFromShares({ members, topics, current: after })).toBeLessThan(1 + 1e-6);
          expect(weighted.assign({ members, topics, current: after })).toBe(after);
          current = after;
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** The furthest that any member's count of a topic is from its exact share. */
function distanceFromShares({ members, topics, current }: AssignmentInput): number {
  let furthest = 0;
  for (const [topic, partitions] of topics) {
    const subscribers = members.filter((member) => member.topics.includes(topic));
    const total = subscribers.reduce((sum, { capacity = 1 }) => sum + capacity, 0);
    const sizes = sizesOf(current, topic);
    for (const { memberId, capacity = 1 } of subscribers) {
      const share = (partitions * capacity) / total;
      furthest = Math.max(furthest, Math.abs((sizes[memberId] ?? 0) - share));
    }
  }
  return furthest;
}
