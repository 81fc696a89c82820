/**
 * The first assignment of a group. These and the other scenarios of this folder re-express what Kafka's sticky, cooperative
 * sticky and uniform assignors (KIP-54, KIP-429, KIP-848) are tested for. Without a meaning here, and why:
 *
 * - subscriptions and user data on the wire, their versions and generations (testMemberData*, testEncodeAndDecodeGeneration,
 *   testDecodeGeneration, testSchemaBackwardCompatibility, testAssignorWithOldVersionSubscriptions,
 *   testSubscriptionsAsTopicIds): an assignor gets the owner of each partition from the group's state, not from members;
 * - claims of members with older generations, or of several members for one partition (testOwnedPartitionsAreInvalidated*,
 *   testEnsurePartitionsAssignedToHighestGeneration, testAssignmentWithConflictingPreviousGenerations, the WithMultiple and
 *   With3Generation ones, the withheld claims of the cooperative assignor): a partition has one owner in `Assignment`, and
 *   the generation is compared when it is published. What is left of them is in `returning-members.test.ts`;
 * - racks (testRackAware*, testUniformSubscriptionTransferOwnershipListIsRight): there are none;
 * - no partition revoked and assigned in one round, convergence within four rounds: handing over is the owners' business
 *   (release comes before grant), the assignment itself is final after one round, which every scenario checks;
 * - a subscription to a topic that does not exist throws in Kafka's broker (testOneMemberSubscribedToNonexistentTopic): here
 *   it has no effect, because a topic may be created or deleted while members run.
 */
import { describe, expect, test } from 'vitest';
import { emptyAssignment } from '../assignment.ts';
import { stickyAssignor } from '../sticky-assignor.ts';
import { Group, ownedIn, sizesOf, type Owned } from './group.ts';

interface Case {
  readonly name: string;
  readonly topics: Readonly<Record<string, number>>;
  readonly members: Readonly<Record<string, readonly string[]>>;
  readonly expected: Owned;
}

const cases: readonly Case[] = [
  {
    name: 'a member without a subscription owns nothing',
    topics: { t1: 3 },
    members: { c1: [] },
    expected: { c1: {} },
  },
  {
    name: 'a topic that does not exist has no effect',
    topics: {},
    members: { c1: ['t1'] },
    expected: { c1: {} },
  },
  {
    name: 'a topic without partitions has no effect',
    topics: { t1: 0 },
    members: { c1: ['t1'] },
    expected: { c1: {} },
  },
  {
    name: 'a missing topic does not keep a member from the others',
    topics: { t1: 1, t3: 4 },
    members: { c1: ['t1', 't2', 't3'] },
    expected: { c1: { t1: [0], t3: [0, 1, 2, 3] } },
  },
  {
    name: 'one member owns all of a topic, in order',
    topics: { t1: 3 },
    members: { c1: ['t1'] },
    expected: { c1: { t1: [0, 1, 2] } },
  },
  {
    name: 'one member owns all of several topics',
    topics: { t1: 1, t2: 2 },
    members: { c1: ['t1', 't2'] },
    expected: { c1: { t1: [0], t2: [0, 1] } },
  },
  {
    name: 'partitions of topics that nobody asked for stay without an owner',
    topics: { t1: 2, other: 3 },
    members: { c1: ['t1'] },
    expected: { c1: { t1: [0, 1] } },
  },
  {
    name: 'one partition, two members: one is idle',
    topics: { t1: 1 },
    members: { c1: ['t1'], c2: ['t1'] },
    expected: { c1: { t1: [0] }, c2: {} },
  },
  {
    name: 'two partitions, two members: one each',
    topics: { t1: 2 },
    members: { c1: ['t1'], c2: ['t1'] },
    expected: { c1: { t1: [0] }, c2: { t1: [1] } },
  },
  {
    name: 'more members than partitions: the idle one has an entry',
    topics: { t1: 2 },
    members: { c1: ['t1'], c2: ['t1'], c3: ['t1'] },
    expected: { c1: { t1: [0] }, c2: { t1: [1] }, c3: {} },
  },
  {
    name: 'two topics, six partitions: the extras of the topics go to different members',
    topics: { t1: 3, t2: 3 },
    members: { c1: ['t1', 't2'], c2: ['t1', 't2'] },
    expected: { c1: { t1: [0, 2], t2: [0] }, c2: { t1: [1], t2: [1, 2] } },
  },
  {
    // Kafka gives c2 only two partitions here and takes the third from t1. Spread per topic comes first with us: t1 has
    // three subscribers, so each has one of it.
    name: 'a topic is spread over all its subscribers even when one of them has another topic alone',
    topics: { t1: 3, t2: 2 },
    members: { c1: ['t1'], c2: ['t1', 't2'], c3: ['t1'] },
    expected: { c1: { t1: [0] }, c2: { t1: [1], t2: [0, 1] }, c3: { t1: [2] } },
  },
  {
    name: 'the extras of a shared topic go to who has less of the others',
    topics: { t1: 3, t3: 6 },
    members: { c1: ['t1', 't3'], c2: ['t3'] },
    expected: { c1: { t1: [0, 1, 2], t3: [0, 2, 4] }, c2: { t3: [1, 3, 5] } },
  },
  {
    name: 'a member without a subscription does not take part in the spread',
    topics: { t1: 3, t2: 3 },
    members: { c1: [], c2: ['t1', 't2'] },
    expected: { c1: {}, c2: { t1: [0, 1, 2], t2: [0, 1, 2] } },
  },
];

describe('the first assignment of a group', () => {
  test.each(cases)('$name', ({ topics, members, expected }) => {
    expect(ownedIn(new Group(topics, members).rebalance())).toEqual(expected);
  });

  test('a group without members owns nothing: the empty assignment is as good as any', () => {
    expect(new Group({ t1: 2 }, {}).rebalance()).toBe(emptyAssignment);
  });

  test('two topics of three and two partitions over two members: three and two', () => {
    const group = new Group({ t1: 3, t2: 2 }, { c1: ['t1', 't2'], c2: ['t1', 't2'] });
    expect(sizesOf(group.rebalance())).toEqual({ c1: 3, c2: 2 });
  });

  test('where dealing partitions in turn gives 3, 3, 0, 2, everybody gets two', () => {
    const all = ['t1', 't2', 't3', 't4', 't5'];
    const odd = ['t1', 't3', 't5'];
    const group = new Group({ t1: 2, t2: 1, t3: 2, t4: 1, t5: 2 }, { c1: all, c2: odd, c3: odd, c4: all });
    expect(sizesOf(group.rebalance())).toEqual({ c1: 2, c2: 2, c3: 2, c4: 2 });
  });

  test('a topic listed twice in a subscription counts once', () => {
    const members = [
      { memberId: 'c1', topics: ['t1', 't1', 't1'] },
      { memberId: 'c2', topics: ['t1'] },
    ];
    const assignment = stickyAssignor.assign({
      members,
      topics: new Map([['t1', 4]]),
      current: emptyAssignment,
    });
    expect(sizesOf(assignment)).toEqual({ c1: 2, c2: 2 });
  });

  test.each([
    ['a member listed twice', ['c1', 'c1'], 3, 'member "c1" is listed twice'],
    ['a partition count that is none', ['c1'], 1.5, 'topic "t1" has 1.5 partitions'],
    ['a negative partition count', ['c1'], -1, 'topic "t1" has -1 partitions'],
  ])('%s is refused, and the message says what to do', (_, memberIds, partitions, message) => {
    const members = memberIds.map((memberId) => ({ memberId, topics: ['t1'] }));
    const input = { members, topics: new Map([['t1', partitions]]), current: emptyAssignment };
    expect(() => stickyAssignor.assign(input)).toThrow(message);
    expect(() => stickyAssignor.assign(input)).toThrow(
      expect.objectContaining({ code: 'INVALID_ASSIGNMENT' }),
    );
  });
});
