import { describe, expect, test } from 'vitest';
import { emptyAssignment, partitionsOf } from '../assignment/assignment.ts';
import { assignmentFromMembers } from '../assignment/assignment-from-members.ts';
import { rangeAssignor } from '../assignment/range-assignor.ts';
import { stickyAssignor } from '../assignment/sticky-assignor.ts';
import type { Assignment, Assignor } from '../assignment/types.ts';
import type { PartitionKey } from '../names.ts';
import type { Claim, GroupSnapshot, MemberDescription } from '../ports/group-store.ts';
import { planAssignment } from './plan-assignment.ts';
import { parseSubscription } from './subscription.ts';

const TOPICS = new Map([['orders', 4]]);

interface MemberOptions {
  readonly isLeaving?: boolean;
  readonly topics?: readonly (string | RegExp)[];
}

function member(
  memberId: string,
  { isLeaving = false, topics = ['orders'] }: MemberOptions = {},
): MemberDescription {
  return {
    memberId,
    session: `session of ${memberId}`,
    host: 'h',
    pid: 1,
    subscriptions: topics.map(parseSubscription),
    capacity: 1,
    leaseMs: 10_000,
    assignor: 'sticky',
    isLeaving,
    joinedAtMs: 0,
  };
}

function snapshotOf(
  members: readonly MemberDescription[],
  owners: Record<PartitionKey, Claim> = {},
): GroupSnapshot {
  return {
    generation: 5,
    assignmentGeneration: 4,
    leader: { memberId: 'a', epoch: 3 },
    deputies: [],
    members: new Map(members.map((one) => [one.memberId, one])),
    beats: new Map(members.map((one) => [one.memberId, 1])),
    owners: new Map(Object.entries(owners) as [PartitionKey, Claim][]),
  };
}

const owns = (byMember: Record<string, Record<string, number[]>>): Assignment =>
  assignmentFromMembers(
    Object.entries(byMember).map(([memberId, topics]) => [memberId, new Map(Object.entries(topics))]),
  );

const assignorThat = (assign: Assignor['assign']): Assignor => ({ name: 'mine', assign });

describe('who gets something', () => {
  test('every member, and what moves is counted', () => {
    const plan = planAssignment(
      stickyAssignor,
      snapshotOf([member('a'), member('b')]),
      TOPICS,
      owns({ a: { orders: [0, 1, 2, 3] } }),
    );
    expect(partitionsOf(plan.assignment, 'a').get('orders')).toHaveLength(2);
    expect(partitionsOf(plan.assignment, 'b').get('orders')).toHaveLength(2);
    expect(plan.moves).toBe(2);
  });

  test('not a member that leaves: it drains what it owns, and others get it', () => {
    const current = owns({ a: { orders: [0, 1] }, b: { orders: [2, 3] } });
    const members = [member('a'), member('b', { isLeaving: true })];
    const plan = planAssignment(stickyAssignor, snapshotOf(members), TOPICS, current);
    expect(partitionsOf(plan.assignment, 'a')).toEqual(new Map([['orders', [0, 1, 2, 3]]]));
    expect(plan.assignment.memberIds).toEqual(['a']);
  });

  test('nobody, when all members leave', () => {
    const neverCalled = assignorThat(() => {
      throw new Error('called without members');
    });
    const members = [member('a', { isLeaving: true })];
    const plan = planAssignment(neverCalled, snapshotOf(members), TOPICS, owns({ a: { orders: [0] } }));
    expect(plan.assignment).toBe(emptyAssignment);
    expect(plan.moves).toBe(0);
  });

  test('nobody, of a topic that nobody subscribes to', () => {
    const topics = new Map([...TOPICS, ['unread', 2]]);
    const plan = planAssignment(stickyAssignor, snapshotOf([member('a')]), topics, emptyAssignment);
    expect([...(plan.assignment.owners.get('unread') ?? [])].every((owner) => owner === -1)).toBe(true);
  });

  test('those whose pattern matches a topic that has come since', () => {
    const members = [member('a', { topics: [/^new/] }), member('b')];
    const topics = new Map([...TOPICS, ['newest', 2]]);
    const plan = planAssignment(rangeAssignor, snapshotOf(members), topics, emptyAssignment);
    expect(partitionsOf(plan.assignment, 'a')).toEqual(new Map([['newest', [0, 1]]]));
  });

  test('the same, whoever computes it: content decides, not the order of members', () => {
    const members = ['a', 'b', 'c'].map((memberId) => member(memberId));
    const current = owns({ a: { orders: [0, 3] }, z: { orders: [1, 2] } });
    const [one, other] = [members, members.toReversed()].map(
      (listed) => planAssignment(stickyAssignor, snapshotOf(listed), TOPICS, current).assignment,
    );
    expect(other).toEqual(one);
  });
});

describe('orphans', () => {
  const dead: Claim = { memberId: 'dead', claim: 7 };
  const living: Claim = { memberId: 'a', claim: 8 };

  test('are entries of dead members for partitions that nobody is assigned', () => {
    const snapshot = snapshotOf([member('a')], { 'orders/0': dead, 'orders/4': dead, 'deleted/0': dead });
    const plan = planAssignment(stickyAssignor, snapshot, TOPICS, emptyAssignment);
    expect(plan.orphans).toEqual(
      new Map([
        ['orders/4', dead],
        ['deleted/0', dead],
      ]),
    );
  });

  test('are entries for a topic that has lost its last subscriber', () => {
    const topics = new Map([...TOPICS, ['unread', 2]]);
    const plan = planAssignment(
      stickyAssignor,
      snapshotOf([member('a')], { 'unread/1': dead }),
      topics,
      emptyAssignment,
    );
    expect([...plan.orphans.keys()]).toEqual(['unread/1']);
  });

  test('are no entries of a living member: it may be draining still, and release comes before grant', () => {
    const members = [member('a', { isLeaving: true })];
    const snapshot = snapshotOf(members, { 'orders/0': living, 'deleted/0': living });
    expect(planAssignment(stickyAssignor, snapshot, TOPICS, emptyAssignment).orphans).toEqual(new Map());
  });
});

describe('an assignor of a user', () => {
  const plan = (assignor: Assignor): unknown =>
    planAssignment(assignor, snapshotOf([member('a'), member('b')]), TOPICS, emptyAssignment);

  test.each([new Error('no capacity left'), 'no capacity left'])(
    'that throws %o is named, with what it said',
    (thrown) => {
      const assignor = assignorThat(() => {
        throw thrown as Error;
      });
      expect(() => plan(assignor)).toThrow(
        expect.objectContaining({
          code: 'INVALID_ASSIGNMENT',
          retryable: false,
          message: 'assignor "mine" failed: no capacity left; the group keeps the assignment it has',
          cause: thrown,
        }),
      );
    },
  );

  test.each<[string, Assignment]>([
    ['forgets a member', owns({ a: { orders: [0, 1, 2, 3] } })],
    [
      'forgets a partition',
      { memberIds: ['a', 'b'], owners: new Map([['orders', Int32Array.of(0, 1, 0, -1)]]) },
    ],
    ['forgets a topic', { memberIds: ['a', 'b'], owners: new Map() }],
    [
      'makes a partition up',
      { memberIds: ['a', 'b'], owners: new Map([['orders', Int32Array.of(0, 1, 0, 1, 0)]]) },
    ],
    [
      'makes a member up',
      { memberIds: ['a', 'b', 'c'], owners: new Map([['orders', Int32Array.of(0, 1, 0, 2)]]) },
    ],
    [
      'points beyond the members',
      { memberIds: ['a', 'b'], owners: new Map([['orders', Int32Array.of(0, 1, 0, 2)]]) },
    ],
  ])('that %s is refused, and what is wrong is told', (_what, assignment) => {
    expect(() => plan(assignorThat(() => assignment))).toThrow(
      expect.objectContaining({
        code: 'INVALID_ASSIGNMENT',
        message: expect.stringMatching(
          /^assignor "mine" gave \d+ invalid entries, the first: .*; the group keeps the assignment it has$/,
        ),
      }),
    );
  });

  test('that gives a topic to who does not subscribe to it is refused', () => {
    const members = [member('a'), member('b', { topics: [/^other/] })];
    const toTheWrongOne = assignorThat(() => ({
      memberIds: ['a', 'b'],
      owners: new Map([['orders', Int32Array.of(0, 0, 0, 1)]]),
    }));
    expect(() => planAssignment(toTheWrongOne, snapshotOf(members), TOPICS, emptyAssignment)).toThrow(
      /not-subscribed/,
    );
  });
});
