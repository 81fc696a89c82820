import { describe, expect, test } from 'vitest';
import { assignmentFromMembers } from './assignment-from-members.ts';
import {
  countMoves,
  emptyAssignment,
  isSameDistribution,
  partitionsByMember,
  partitionsOf,
} from './assignment.ts';
import { membersOf, ownedBy, ownedIn, topicsOf, type Owned } from './scenarios/group.ts';

const assignment = ownedBy({ c1: { t1: [0, 3], t2: [1] }, c2: { t1: [1] }, c3: {} });

describe('reading an assignment', () => {
  test('partitions of one member, ascending, without the topics that it has none of', () => {
    expect(partitionsOf(assignment, 'c1')).toEqual(
      new Map([
        ['t1', [0, 3]],
        ['t2', [1]],
      ]),
    );
    expect(partitionsOf(assignment, 'c2')).toEqual(new Map([['t1', [1]]]));
    expect(partitionsOf(assignment, 'c3')).toEqual(new Map());
    expect(partitionsOf(assignment, 'nobody')).toEqual(new Map());
    expect(partitionsOf(emptyAssignment, 'c1')).toEqual(new Map());
  });

  test('of all members at once it is the same, idle ones included', () => {
    const all = partitionsByMember(assignment);
    expect([...all.keys()]).toEqual(['c1', 'c2', 'c3']);
    for (const [memberId, partitions] of all) expect(partitions).toEqual(partitionsOf(assignment, memberId));
  });
});

test.each([
  ['the same in another order', { c3: {}, c2: { t1: [1] }, c1: { t2: [1], t1: [0, 3] } }, true],
  ['an idle member less', { c1: { t1: [0, 3], t2: [1] }, c2: { t1: [1] } }, true],
  ['an owner of one partition changed', { c1: { t1: [0], t2: [1] }, c2: { t1: [1, 3] } }, false],
  ['one partition more', { c1: { t1: [0, 3], t2: [1] }, c2: { t1: [1], t2: [0] } }, false],
  ['a topic less', { c1: { t1: [0, 3] }, c2: { t1: [1] } }, false],
] as const)('with %s', (_what, other, isSame) => {
  expect(isSameDistribution(assignment, ownedBy(other as unknown as Owned))).toBe(isSame);
  expect(isSameDistribution(ownedBy(other as unknown as Owned), assignment)).toBe(isSame);
});

describe('counting moves', () => {
  const before = ownedBy({ c1: { t1: [0, 1], t2: [0] }, c2: { t1: [2], gone: [0, 1] } });

  test.each([
    ['nothing changed', { c1: { t1: [0, 1], t2: [0] }, c2: { t1: [2] } }, 0],
    ['one partition changed hands', { c1: { t1: [0], t2: [0] }, c2: { t1: [1, 2] } }, 1],
    ['a member left: its partitions changed hands', { c1: { t1: [0, 1, 2], t2: [0] } }, 1],
    [
      'what is owned for the first time is no move',
      { c1: { t1: [0, 1], t2: [0, 1] }, c2: { t1: [2, 3] } },
      0,
    ],
    ['what nobody owns any more is no move', { c1: { t1: [0] }, c2: { t1: [2] } }, 0],
    [
      'a new member sorts first, so all numbers change',
      { c0: { t2: [0] }, c1: { t1: [0, 1] }, c2: { t1: [2] } },
      1,
    ],
  ])('%s', (_, owned, moves) => {
    expect(countMoves(before, ownedBy(owned))).toBe(moves);
  });

  test('from and to nothing there are none', () => {
    expect(countMoves(emptyAssignment, before)).toBe(0);
    expect(countMoves(before, emptyAssignment)).toBe(0);
  });
});

describe('building an assignment from maps', () => {
  test('members and topics are sorted, gaps have no owner', () => {
    const built = assignmentFromMembers([
      ['c2', new Map([['t2', [2]]])],
      ['c1', new Map([['t1', [1, 0]]])],
    ]);
    expect(built).toEqual({
      memberIds: ['c1', 'c2'],
      owners: new Map([
        ['t1', Int32Array.of(0, 0)],
        ['t2', Int32Array.of(-1, -1, 1)],
      ]),
    });
    expect([...built.owners.keys()]).toEqual(['t1', 't2']);
  });

  test('what was read by member builds the same again', () => {
    expect(assignmentFromMembers(partitionsByMember(assignment))).toEqual(assignment);
  });

  test('with the input, members and topics that are not named are there too', () => {
    const input = { members: membersOf({ c1: ['t1'], c2: [] }), topics: topicsOf({ t1: 3, t2: 1 }) };
    const built = assignmentFromMembers([['c1', new Map([['t1', [2]]])]], input);
    expect([...built.owners]).toEqual([
      ['t1', Int32Array.of(-1, -1, 0)],
      ['t2', Int32Array.of(-1)],
    ]);
    expect(ownedIn(built)).toEqual({ c1: { t1: [2] }, c2: {} });
  });

  const input = { members: membersOf({ c1: ['t1'], c2: ['t1'] }), topics: topicsOf({ t1: 3, t2: 1 }) };

  test.each<[string, Owned, string]>([
    [
      'a partition given twice',
      { c1: { t1: [0] }, c2: { t1: [0] } },
      'partition t1/0 is given to "c1" and to "c2"',
    ],
    ['a partition named twice', { c1: { t1: [1, 1] } }, 'partition t1/1 is given to "c1" and to "c1"'],
    [
      'a partition beyond the end',
      { c1: { t1: [3] } },
      'partition t1/3 does not exist: the topic has partitions 0 to 2',
    ],
    ['a negative partition', { c1: { t1: [-1] } }, 'partition t1/-1 does not exist'],
    ['half a partition', { c1: { t1: [0.5] } }, 'partition t1/0.5 does not exist'],
    ['an owner that does not subscribe', { c1: { t2: [0] } }, 'member "c1" does not subscribe to topic "t2"'],
    [
      'a topic that does not exist',
      { c1: { t9: [0] } },
      'topic "t9" of member "c1" does not exist in the input',
    ],
    ['a member that is not in the group', { c9: { t1: [0] } }, 'member "c9" is not in the group'],
  ])('%s is refused', (_, owned, message) => {
    const entries = Object.entries(owned).map(
      ([memberId, topics]) => [memberId, new Map(Object.entries(topics))] as const,
    );
    const build = (): unknown => assignmentFromMembers(entries, input);
    expect(build).toThrow(message);
    expect(build).toThrow(expect.objectContaining({ code: 'INVALID_ASSIGNMENT', retryable: false }));
  });

  test.each([
    ['without the input', undefined, 'member "c1" is listed twice'],
    ['with it', input, 'member "c1" has two entries'],
  ])('a member with two entries is refused, %s', (_, within, message) => {
    const twice = [
      ['c1', new Map([['t1', [0]]])],
      ['c1', new Map([['t1', [1]]])],
    ] as const;
    expect(() => assignmentFromMembers(twice, within)).toThrow(message);
  });

  test('without the input a partition must still be a whole number', () => {
    expect(() => assignmentFromMembers([['c1', new Map([['t1', [NaN]]])]])).toThrow('whole numbers from 0');
  });
});
