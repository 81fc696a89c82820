/**
 * Topics and subscriptions change, and members subscribe to different topics. Where the scenarios come from, and which
 * have no meaning here: `first-assignment.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import { stickyAssignor } from '../sticky-assignor.ts';
import { Group, membersOf, ownedBy, ownedIn, sizesOf, sortedSizes, topicsOf } from './group.ts';

const BOTH = ['t1', 't2'];

describe('topics change', () => {
  test('partitions added: three and three become six and five, nobody loses one', () => {
    const owned = { c1: { t1: [0, 2], t2: [0] }, c2: { t1: [1], t2: [1, 2] } };
    const group = new Group({ t1: 6, t2: 5 }, { c1: BOTH, c2: BOTH }, owned);
    expect(sortedSizes(group.rebalance())).toEqual([5, 6]);
    expect(group.moves).toBe(0);
  });

  test('a topic is added: each keeps what it has and gets half of it; then the first one is deleted', () => {
    const group = new Group({ t1: 3 }, { c1: BOTH, c2: BOTH });
    group.rebalance();
    group.setTopic('t2', 3).rebalance();
    expect(sizesOf(group.current)).toEqual({ c1: 3, c2: 3 });
    expect(group.moves).toBe(0);
    const before = ownedIn(group.current);
    group.deleteTopic('t1').rebalance();
    expect(group.moves).toBe(0);
    expect(ownedIn(group.current)).toEqual({
      c1: { t2: before['c1']?.['t2'] },
      c2: { t2: before['c2']?.['t2'] },
    });
  });

  test('the only topic is deleted: the members stay, with nothing', () => {
    const group = new Group({ t1: 3 }, { c1: ['t1'] });
    group.rebalance();
    expect(ownedIn(group.deleteTopic('t1').rebalance())).toEqual({ c1: {} });
  });

  test('a topic that was deleted and is back with fewer partitions: those that are gone are nobody’s', () => {
    const group = new Group(
      { t1: 2 },
      { c1: ['t1'], c2: ['t1'] },
      { c1: { t1: [0, 2, 4] }, c2: { t1: [1, 3] } },
    );
    expect(ownedIn(group.rebalance())).toEqual({ c1: { t1: [0] }, c2: { t1: [1] } });
    expect(group.moves).toBe(0);
  });

  test('partitions of a topic that the input does not know are dropped', () => {
    const owned = { c1: { other: [0, 1], t1: [0] } };
    const group = new Group({ t1: 2, t2: 1 }, { c1: BOTH }, owned);
    expect(ownedIn(group.rebalance())).toEqual({ c1: { t1: [0, 1], t2: [0] } });
  });

  test('a member joins while partitions are added: nobody loses what it may keep', () => {
    const owned = { c1: { t1: [0, 2], t2: [0] }, c2: { t1: [1], t2: [1, 2] } };
    const group = new Group({ t1: 5, t2: 5 }, { c1: BOTH, c2: BOTH, c3: ['t2'] }, owned);
    group.rebalance();
    expect(group.moves).toBe(0);
  });
});

describe('subscriptions change', () => {
  test('both drop a topic: the other one stays in place', () => {
    const owned = { c1: { t1: [0, 2], t2: [0, 2] }, c2: { t1: [1], t2: [1, 3] } };
    const group = new Group({ t1: 3, t2: 4 }, { c1: ['t2'], c2: ['t2'] }, owned);
    expect(ownedIn(group.rebalance())).toEqual({ c1: { t2: [0, 2] }, c2: { t2: [1, 3] } });
  });

  test('one of two drops a topic: the other takes it over and keeps the rest', () => {
    const owned = { c1: { t1: [0, 2], t2: [0] }, c2: { t1: [1], t2: [1, 2] } };
    const group = new Group({ t1: 3, t2: 3 }, { c1: ['t1'], c2: BOTH }, owned);
    expect(ownedIn(group.rebalance())).toEqual({ c1: { t1: [0, 2] }, c2: { t1: [1], t2: [0, 1, 2] } });
    expect(group.moves).toBe(1);
  });

  test('a subscription grows to a topic with one owner: it gets its half and no more moves', () => {
    const group = new Group({ t1: 4, t2: 4 }, { c1: ['t1'], c2: ['t2'] });
    group.rebalance();
    group.subscribe('c1', ...BOTH).rebalance();
    expect(sizesOf(group.current, 't2')).toEqual({ c1: 2, c2: 2 });
    expect(group.moves).toBe(2);
  });

  test('a member without a subscription gets one', () => {
    const group = new Group({ t1: 4 }, { c1: ['t1'], c2: [] });
    group.rebalance();
    group.subscribe('c2', 't1').rebalance();
    expect(sizesOf(group.current)).toEqual({ c1: 2, c2: 2 });
    expect(group.moves).toBe(2);
  });

  test('the last subscriber of a topic goes: its partitions have no owner', () => {
    const group = new Group({ t1: 2, t2: 2 }, { c1: ['t1'], c2: ['t2'] });
    group.rebalance();
    group.subscribe('c2').rebalance();
    expect(group.current.owners.get('t2')).toEqual(Int32Array.of(-1, -1));
  });
});

describe('members with different subscriptions', () => {
  test('a member that owns six and one that owns nothing: three and three, in three moves', () => {
    const group = new Group({ t1: 6 }, { c1: ['t1'], c2: ['t1'] }, { c1: { t1: [0, 1, 2, 3, 4, 5] } });
    expect(sizesOf(group.rebalance())).toEqual({ c1: 3, c2: 3 });
    expect(group.moves).toBe(3);
  });

  test('four and two of the same two topics: exactly one move', () => {
    const owned = { c1: { t1: [0, 1], t2: [0, 1] }, c2: { t1: [2], t2: [2] } };
    const group = new Group({ t1: 3, t2: 3 }, { c1: BOTH, c2: BOTH }, owned);
    expect(sizesOf(group.rebalance())).toEqual({ c1: 3, c2: 3 });
    expect(group.moves).toBe(1);
  });

  test('topics of their own do not take a shared topic away from its subscribers', () => {
    const owned = { c1: { t1: [0, 1, 2], t2: [0, 1] }, c2: { t1: [3, 4, 5], t2: [2] } };
    const subscriptions = { c1: ['t1'], c2: BOTH, c3: ['t1', 't3'] };
    const group = new Group({ t1: 6, t2: 3, t3: 2 }, subscriptions, owned);
    expect(ownedIn(group.rebalance())).toMatchObject({
      c1: { t1: [0, 1] },
      c2: { t1: [3, 4], t2: [0, 1, 2] },
    });
    expect(sizesOf(group.current)).toEqual({ c1: 2, c2: 5, c3: 4 });
    expect(group.moves).toBe(4);
  });

  test('members that share no topic are left alone, however different their sizes are', () => {
    const group = new Group({ t1: 9, t2: 1 }, { c1: ['t1'], c2: ['t2'] });
    expect(sizesOf(group.rebalance())).toEqual({ c1: 9, c2: 1 });
  });

  test('one, two and three partitions in a row of overlapping subscriptions: even enough, nothing moves', () => {
    const topics = { t1: 1, t2: 1, t3: 1, t4: 1, t5: 1, t6: 1 };
    const subscriptions = {
      c1: ['t1', 't2'],
      c2: ['t1', 't2', 't3', 't4'],
      c3: ['t2', 't3', 't4', 't5', 't6'],
    };
    const owned = { c1: { t1: [0] }, c2: { t2: [0], t3: [0] }, c3: { t4: [0], t5: [0], t6: [0] } };
    const group = new Group(topics, subscriptions, owned);
    group.rebalance();
    expect(group.moves).toBe(0);
  });

  test('a chain: the third member cannot give to the first, so the second passes one on', () => {
    const subscriptions = { c1: ['t1'], c2: ['t1', 't2', 't4'], c3: ['t2', 't3', 't4', 't5'] };
    const owned = { c2: { t1: [0], t2: [0] }, c3: { t3: [0], t4: [0], t5: [0] } };
    const group = new Group({ t1: 1, t2: 1, t3: 1, t4: 1, t5: 1 }, subscriptions, owned);
    expect(sizesOf(group.rebalance())).toEqual({ c1: 1, c2: 2, c3: 2 });
    expect(group.moves).toBe(2);
  });

  test('an extra that its owner kept moves when a subscriber has two less', () => {
    const owned = { c1: { t1: [0], t2: [0], t3: [0] }, c2: {} };
    const all = ['t1', 't2', 't3'];
    const group = new Group({ t1: 1, t2: 1, t3: 1 }, { c1: all, c2: all }, owned);
    expect(sortedSizes(group.rebalance())).toEqual([1, 2]);
    expect(group.moves).toBe(1);
  });

  test('with one less an extra stays', () => {
    const owned = { c1: { t1: [0], t2: [0] }, c2: { t3: [0] } };
    const all = ['t1', 't2', 't3'];
    const group = new Group({ t1: 1, t2: 1, t3: 1 }, { c1: all, c2: all }, owned);
    expect(group.rebalance()).toBe(group.current);
    expect(group.moves).toBe(0);
  });
});

describe('the answer depends on content only', () => {
  const members = membersOf({ c1: ['t1', 't2'], c2: ['t2'], c3: ['t2', 't1', 't3'], c4: [] });
  const counts = { t1: 5, t2: 7, t3: 2 };
  const current = ownedBy({ c1: { t1: [0, 1, 2] }, c3: { t2: [0, 1, 2, 3] }, c9: { t1: [3], t3: [0, 1] } });

  test('any order of members, topics and subscriptions gives the same assignment', () => {
    const expected = stickyAssignor.assign({ members, topics: topicsOf(counts), current });
    for (const order of permutations([0, 1, 2, 3])) {
      const shuffled = order.map((m) => ({ ...members[m]!, topics: members[m]!.topics.toReversed() }));
      const topics = new Map(Object.entries(counts).toReversed());
      const owners = new Map([...current.owners].toReversed());
      const input = { members: shuffled, topics, current: { memberIds: current.memberIds, owners } };
      expect(stickyAssignor.assign(input)).toEqual(expected);
      expect([...stickyAssignor.assign(input).owners.keys()]).toEqual([...expected.owners.keys()]);
    }
  });

  test('the input is not written to', () => {
    const before = structuredClone({ members, current });
    stickyAssignor.assign({ members, topics: topicsOf(counts), current });
    expect({ members, current }).toEqual(before);
  });
});

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
