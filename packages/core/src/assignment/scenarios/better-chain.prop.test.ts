/**
 * Groups that are too large for brute force and small enough for shortest paths between all members: the answer is the one
 * with the least moves + half the squared sizes, because no chain of moves lowers it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyAssignment } from '../assignment.ts';
import { stickyAssignor } from '../sticky-assignor.ts';
import type { Assignment, AssignmentInput } from '../types.ts';
import { savingOfBestChain } from './better-chain.ts';
import { seededRandom, type SeededRandom } from './seeded-random.ts';

interface Shape {
  readonly seed: number;
  readonly members: number;
  readonly topics: number;
  readonly mostPartitions: number;
  /** Of 10 topics a member subscribes to about this many. */
  readonly subscribed: number;
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  seed: fc.nat(),
  members: fc.integer({ min: 2, max: 14 }),
  topics: fc.integer({ min: 1, max: 12 }),
  mostPartitions: fc.constantFrom(1, 2, 5, 20),
  subscribed: fc.constantFrom(2, 4, 6, 9),
});

function groupOf(shape: Shape, random: SeededRandom): Omit<AssignmentInput, 'current'> {
  const names = Array.from({ length: shape.topics }, (_, t) => `t${10 + t}`);
  return {
    topics: new Map(names.map((name) => [name, 1 + random.below(shape.mostPartitions)])),
    members: Array.from({ length: shape.members }, (_, m) => ({
      memberId: `c${10 + m}`,
      topics: names.filter(() => random.below(10) < shape.subscribed),
    })),
  };
}

/** Each partition at a member drawn at random. */
function disorderOf({ topics }: Pick<AssignmentInput, 'topics'>, random: SeededRandom): Assignment {
  const memberIds = Array.from({ length: 16 }, (_, m) => `c${10 + m}`);
  const owners = [...topics].map(([topic, partitions]) => {
    return [topic, Int32Array.from({ length: partitions }, () => random.below(17) - 1)] as const;
  });
  return { memberIds, owners: new Map(owners) };
}

function savingIn(input: AssignmentInput): number {
  return savingOfBestChain(input, stickyAssignor.assign(input));
}

describe('no chain of moves would save anything', () => {
  test('whatever the group had before', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const random = seededRandom(shape.seed);
        const group = groupOf(shape, random);
        expect(savingIn({ ...group, current: disorderOf(group, random) })).toBe(0);
      }),
      { numRuns: 1500 },
    );
  });

  test('after subscriptions were drawn anew', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const random = seededRandom(shape.seed);
        const current = stickyAssignor.assign({ ...groupOf(shape, random), current: emptyAssignment });
        expect(savingIn({ ...groupOf(shape, random), current })).toBe(0);
      }),
      { numRuns: 1500 },
    );
  });

  test('after one member left and another one joined', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const random = seededRandom(shape.seed);
        const { members, topics } = groupOf(shape, random);
        const current = stickyAssignor.assign({
          members: members.slice(1),
          topics,
          current: emptyAssignment,
        });
        expect(savingIn({ members: members.slice(0, -1), topics, current })).toBe(0);
      }),
      { numRuns: 1500 },
    );
  });
});
