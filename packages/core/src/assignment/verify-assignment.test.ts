import { describe, expect, test } from 'vitest';
import { membersOf, ownedBy, topicsOf } from './scenarios/group.ts';
import type { Assignment } from './types.ts';
import { verifyAssignment } from './verify-assignment.ts';

const input = {
  members: membersOf({ c1: ['t1', 't2'], c2: ['t1'], c3: [] }),
  topics: topicsOf({ t1: 3, t2: 2, unread: 2 }),
  current: { memberIds: [], owners: new Map() },
};
const good: Assignment = {
  memberIds: ['c1', 'c2', 'c3'],
  owners: new Map([
    ['t1', Int32Array.of(0, 1, 0)],
    ['t2', Int32Array.of(0, 0)],
    ['unread', Int32Array.of(-1, -1)],
  ]),
};

function changed(topic: string, ...owners: readonly number[]): Assignment {
  return { ...good, owners: new Map(good.owners).set(topic, Int32Array.from(owners)) };
}

function without(topic: string): Assignment {
  return { ...good, owners: new Map([...good.owners].filter(([name]) => name !== topic)) };
}

describe('verifying an assignment', () => {
  test('one that is complete and respects subscriptions has no problems, however uneven it is', () => {
    expect(verifyAssignment(input, good)).toEqual([]);
    expect(verifyAssignment(input, changed('t1', 1, 1, 1))).toEqual([]);
  });

  test('a topic that nobody subscribes to may be left out', () => {
    expect(verifyAssignment(input, without('unread'))).toEqual([]);
  });

  test.each<[string, Assignment, object, string]>([
    [
      'a member that is left out',
      ownedBy({ c1: { t1: [0, 1, 2], t2: [0, 1] }, c2: {} }),
      { kind: 'member-missing', memberId: 'c3' },
      'idle ones too',
    ],
    [
      'a member that is not in the group',
      { ...good, memberIds: ['c1', 'c2', 'c3', 'c4'] },
      { kind: 'member-unknown', memberId: 'c4' },
      'not in the group',
    ],
    [
      'a topic that is left out',
      without('t2'),
      { kind: 'topic-missing', topic: 't2' },
      'has subscribers but no entry',
    ],
    [
      'a topic that does not exist',
      changed('zone', -1),
      { kind: 'topic-unknown', topic: 'zone' },
      'not in the input',
    ],
    [
      'a topic of another size',
      changed('t1', 0, 1),
      { kind: 'partition-count', topic: 't1', expected: 3, actual: 2 },
      'has 3 partitions, its owners have 2 entries',
    ],
    [
      'partitions without an owner',
      changed('t1', 0, -1, -1),
      { kind: 'unassigned', topic: 't1', partition: 1, count: 2 },
      '2 partitions from t1/1 on: no owner',
    ],
    [
      'an owner that is no member',
      changed('t2', 0, 7),
      { kind: 'owner-unknown', topic: 't2', partition: 1, count: 1 },
      'partition t2/1: the owner is no index',
    ],
    [
      'a negative owner other than -1',
      changed('t2', -2, 0),
      { kind: 'owner-unknown', topic: 't2', partition: 0, count: 1 },
      'partition t2/0',
    ],
    [
      'an owner that does not subscribe',
      changed('t2', 1, 1),
      { kind: 'not-subscribed', topic: 't2', memberId: 'c2', partition: 0, count: 2 },
      '2 partitions from t2/0 on: the owner "c2" does not subscribe',
    ],
    [
      'an owner of a topic that nobody asked for',
      changed('unread', -1, 0),
      { kind: 'not-subscribed', topic: 'unread', memberId: 'c1', partition: 1, count: 1 },
      'partition unread/1',
    ],
  ])('%s is a problem', (_, assignment, expected, message) => {
    const problems = verifyAssignment(input, assignment);
    expect(problems).toEqual([expect.objectContaining(expected)]);
    expect(problems[0]?.message).toContain(message);
  });

  test('members and topics must be sorted, since numbers refer to their order', () => {
    const shuffled = {
      memberIds: ['c2', 'c1', 'c3'],
      owners: new Map([
        ['t2', Int32Array.of(1, 1)],
        ['t1', Int32Array.of(1, 0, 1)],
      ]),
    };
    expect(verifyAssignment(input, shuffled).map((problem) => problem.message)).toEqual([
      'member "c1" is out of order or repeated: memberIds must be sorted and unique',
      'topic "t1" is out of order: the topics of owners must be sorted',
    ]);
  });

  test('each member and kind of a topic is one problem', () => {
    const problems = verifyAssignment(input, changed('t2', 1, 2));
    expect(problems.map((problem) => problem.kind)).toEqual(['not-subscribed', 'not-subscribed']);
  });
});
