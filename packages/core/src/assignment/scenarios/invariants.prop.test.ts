/** What must hold after every change in the life of any group. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countMoves, emptyAssignment, partitionsOf } from '../assignment.ts';
import { createStickyAssignor, stickyAssignor } from '../sticky-assignor.ts';
import type { AssignmentInput, AssignmentMember } from '../types.ts';
import { faultsOf } from './faults.ts';
import { movesAmongStayers } from './group.ts';

const TOPICS = ['orders', 'payments', 'refunds', 'audit', 'mail'];

type Change =
  | { readonly kind: 'join' | 'subscribe'; readonly memberId: string; readonly topics: string[] }
  | { readonly kind: 'leave'; readonly memberId: string }
  | { readonly kind: 'resize'; readonly topic: string; readonly partitions: number }
  | { readonly kind: 'delete'; readonly topic: string };

const memberId = fc.integer({ min: 0, max: 9 }).map((m) => `c${m}`);
const topic = fc.constantFrom(...TOPICS);
const subscription = fc.subarray(TOPICS);
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('join', 'subscribe'), memberId, topics: subscription }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave'), memberId }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('resize'), topic, partitions: fc.nat(25) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), topic }) },
);
const changes = fc.array(change, { minLength: 1, maxLength: 14 });

interface World {
  readonly members: Map<string, readonly string[]>;
  readonly topics: Map<string, number>;
}

function apply({ members, topics }: World, event: Change): void {
  switch (event.kind) {
    case 'join':
    case 'subscribe':
      members.set(event.memberId, event.topics);
      return;
    case 'leave':
      members.delete(event.memberId);
      return;
    case 'resize':
      topics.set(event.topic, event.partitions);
      return;
    case 'delete':
      topics.delete(event.topic);
      return;
    default:
      event satisfies never;
  }
}

function membersOfWorld({ members }: World): AssignmentMember[] {
  return [...members].map(([id, topics]) => ({ memberId: id, topics }));
}

/** Runs the changes one by one through the assignor; calls `check` with every input and answer. */
function live(events: readonly Change[], check: (input: AssignmentInput, event: Change) => void): void {
  const world: World = { members: new Map(), topics: new Map(TOPICS.map((name, t) => [name, 3 * t + 2])) };
  let current = emptyAssignment;
  for (const event of events) {
    apply(world, event);
    const input = { members: membersOfWorld(world), topics: new Map(world.topics), current };
    check(input, event);
    current = stickyAssignor.assign(input);
  }
}

describe('after every change of any group', () => {
  test('the assignment is valid, spread and balanced, and it is its own answer', () => {
    fc.assert(
      fc.property(changes, (events) => {
        live(events, (input) => {
          const after = stickyAssignor.assign(input);
          expect(faultsOf(input, after)).toEqual([]);
          expect(stickyAssignor.assign({ ...input, current: after })).toBe(after);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('the order in which anything is listed has no influence', () => {
    fc.assert(
      fc.property(changes, fc.infiniteStream(fc.nat()), (events, keys) => {
        const shuffled = <T>(items: Iterable<T>): T[] =>
          [...items]
            .map((item) => ({ item, key: keys.next().value ?? 0 }))
            .toSorted((a, b) => a.key - b.key)
            .map(({ item }) => item);
        live(events, (input) => {
          const after = stickyAssignor.assign(input);
          const members = shuffled(input.members).map((member) => ({
            ...member,
            topics: shuffled(member.topics),
          }));
          const topics = new Map(shuffled(input.topics));
          expect(stickyAssignor.assign({ members, topics, current: input.current })).toEqual(after);
        });
      }),
      { numRuns: 200 },
    );
  });

  test('a join or leave moves no more among those who stay than there are extras', () => {
    fc.assert(
      fc.property(changes, (events) => {
        live(events, (input, event) => {
          const isMembership = event.kind === 'join' || event.kind === 'leave';
          const wasMember = input.current.memberIds.includes(isMembership ? event.memberId : '');
          if (!isMembership || wasMember === (event.kind === 'join')) return;
          expect(movesAmongStayers(input.current, stickyAssignor.assign(input))).toBeLessThanOrEqual(
            extrasOf(input),
          );
        });
      }),
      { numRuns: 500 },
    );
  });

  test('with capacity 1 everywhere the weighted assignor gives the same answers', () => {
    const weighted = createStickyAssignor({ weighted: true });
    fc.assert(
      fc.property(changes, fc.constantFrom(1, 0.1, 3, 1e6), (events, capacity) => {
        live(events, (input) => {
          const members = input.members.map((member) => ({ ...member, capacity }));
          expect(weighted.assign({ ...input, members })).toEqual(stickyAssignor.assign(input));
        });
      }),
      { numRuns: 300 },
    );
  });

  test('counting moves agrees with comparing what each member has', () => {
    fc.assert(
      fc.property(changes, (events) => {
        live(events, (input) => {
          const after = stickyAssignor.assign(input);
          const before = new Map(
            input.current.memberIds.map((id) => [id, keysOf(partitionsOf(input.current, id))]),
          );
          const ownedBefore = new Set([...before.values()].flatMap((keys) => [...keys]));
          let moves = 0;
          for (const id of after.memberIds) {
            for (const key of keysOf(partitionsOf(after, id))) {
              if (ownedBefore.has(key) && before.get(id)?.has(key) !== true) moves++;
            }
          }
          expect(countMoves(input.current, after)).toBe(moves);
        });
      }),
      { numRuns: 200 },
    );
  });
});

function extrasOf(input: AssignmentInput): number {
  let extras = 0;
  for (const [name, partitions] of input.topics) {
    const subscribers = input.members.filter((member) => member.topics.includes(name)).length;
    if (subscribers > 0) extras += partitions % subscribers;
  }
  return extras;
}

function keysOf(partitions: ReadonlyMap<string, readonly number[]>): Set<string> {
  return new Set([...partitions].flatMap(([name, list]) => list.map((p) => `${name}/${p}`)));
}
