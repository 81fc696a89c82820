/** Members join and leave. Where the scenarios come from, and which have no meaning here: `first-assignment.test.ts`. */
import { describe, expect, test } from 'vitest';
import { countMoves } from '../assignment.ts';
import { stickyAssignor } from '../sticky-assignor.ts';
import { Group, membersOf, ownedBy, ownedIn, sizesOf, sortedSizes, topicsOf } from './group.ts';

const BOTH = ['t1', 't2'];

describe('a member joins', () => {
  test('the only owner of a topic gives up what the joiner needs and keeps the rest in place', () => {
    const group = new Group({ t1: 3 }, { c1: ['t1'], c2: ['t1'] }, { c1: { t1: [0, 1, 2] } });
    expect(ownedIn(group.rebalance())).toEqual({ c1: { t1: [0, 1] }, c2: { t1: [2] } });
    expect(group.moves).toBe(1);
  });

  test('a free partition goes to a member below the ceiling, nothing moves', () => {
    const owned = { c1: { t1: [0], t2: [0] }, c2: { t1: [1], t2: [1] } };
    const group = new Group({ t1: 2, t2: 3 }, { c1: BOTH, c2: BOTH }, owned);
    expect(sortedSizes(group.rebalance())).toEqual([2, 3]);
    expect(group.moves).toBe(0);
  });

  test('four partitions, two owners of two: exactly one moves to the third member', () => {
    const owned = { c1: { t1: [0], t2: [0] }, c2: { t1: [1], t2: [1] } };
    const group = new Group({ t1: 2, t2: 2 }, { c1: BOTH, c2: BOTH, c3: BOTH }, owned);
    expect(sortedSizes(group.rebalance())).toEqual([1, 1, 2]);
    expect(group.moves).toBe(1);
  });

  test('owners below the floor keep what they have and are filled up', () => {
    const owned = { c1: { t1: [0] }, c2: { t1: [1] } };
    const group = new Group({ t1: 2, t2: 3 }, { c1: BOTH, c2: BOTH, c3: BOTH }, owned);
    expect(ownedIn(group.rebalance())).toMatchObject({ c1: { t1: [0] }, c2: { t1: [1] } });
    expect(group.moves).toBe(0);
  });

  test('members at their quota stay as they are, the newcomer gets what is free', () => {
    const subscriptions = { c1: ['t1'], c2: ['t1'], c3: ['t1'] };
    const group = new Group({ t1: 4 }, subscriptions, { c1: { t1: [0, 1] }, c2: { t1: [2] } });
    expect(ownedIn(group.rebalance())).toEqual({ c1: { t1: [0, 1] }, c2: { t1: [2] }, c3: { t1: [3] } });
    expect(group.moves).toBe(0);
  });

  test('where each owner has two of nine and three are free, nobody loses one to the newcomer', () => {
    const all = ['t1', 't2', 't3'];
    const owned = { c1: { t1: [0], t2: [0] }, c2: { t2: [2], t3: [1] }, c3: { t1: [1], t3: [2] } };
    const group = new Group({ t1: 3, t2: 3, t3: 3 }, { c1: all, c2: all, c3: all, c4: all }, owned);
    expect(ownedIn(group.rebalance())).toMatchObject(owned);
    expect(group.moves).toBe(0);
  });

  test('one more takes one from each of two members that have three', () => {
    const owned = { c1: { t1: [0, 2], t2: [0] }, c2: { t1: [1], t2: [1, 2] } };
    const group = new Group({ t1: 3, t2: 3 }, { c1: BOTH, c2: BOTH, c3: BOTH }, owned);
    expect(sizesOf(group.rebalance())).toEqual({ c1: 2, c2: 2, c3: 2 });
    expect(group.moves).toBe(2);
    expect(group.needless).toBe(0);
  });

  test('two more take three of seven, nothing moves between the old ones; those then get it all without a move', () => {
    const group = new Group({ t1: 3, t2: 4 }, { c1: BOTH, c2: BOTH });
    group.rebalance();
    group
      .subscribe('c3', ...BOTH)
      .subscribe('c4', ...BOTH)
      .rebalance();
    expect([group.moves, group.needless]).toEqual([3, 0]);
    group.leave('c1', 'c2').rebalance();
    expect(group.needless).toBe(0);
  });

  test('a tenth member takes two of twenty', () => {
    const nine = Object.fromEntries(Array.from({ length: 9 }, (_, m) => [`c${m}`, ['t1']]));
    const group = new Group({ t1: 20 }, nine);
    group.rebalance();
    group.subscribe('c9', 't1').rebalance();
    expect([group.moves, group.needless]).toEqual([2, 0]);
  });

  test.each([
    [12, 2, 4],
    [64, 3, 16],
    [64, 7, 8],
    [128, 9, 12],
    [100, 150, 0],
  ])('%i partitions, %i members and one more: %i moves', (partitions, size, moves) => {
    const members = Object.fromEntries(Array.from({ length: size }, (_, m) => [`c${m}`, ['t1']]));
    const group = new Group({ t1: partitions }, members);
    group.rebalance();
    group.subscribe('a newcomer that sorts first', 't1').rebalance();
    expect([group.moves, group.needless]).toEqual([moves, 0]);
  });
});

describe('a member leaves', () => {
  test('the last one gets everything and keeps its own', () => {
    const group = new Group({ t1: 3 }, { c2: ['t1'] }, { c1: { t1: [0, 1] }, c2: { t1: [2] } });
    expect(ownedIn(group.rebalance())).toEqual({ c2: { t1: [0, 1, 2] } });
    expect(group.moves).toBe(2);
  });

  test('survivors keep all, what was its is split', () => {
    const owned = { c1: { t1: [0], t2: [0] }, c2: { t1: [1], t2: [1] }, c3: { t1: [2], t2: [2] } };
    const group = new Group({ t1: 3, t2: 3 }, { c1: BOTH, c2: BOTH }, owned);
    expect(ownedIn(group.rebalance())).toEqual({ c1: { t1: [0, 2], t2: [0] }, c2: { t1: [1], t2: [1, 2] } });
    expect([group.moves, group.needless]).toEqual([2, 0]);
  });

  test('of four members and three partitions, those that own one keep it', () => {
    const group = new Group({ t1: 3 }, { c1: ['t1'], c2: ['t1'], c3: ['t1'], c4: ['t1'] });
    const before = ownedIn(group.rebalance());
    const after = ownedIn(group.leave('c1').rebalance());
    expect(after).toMatchObject({ c2: before['c2'], c3: before['c3'] });
    expect(sizesOf(group.current)).toEqual({ c2: 1, c3: 1, c4: 1 });
  });

  test.each([
    [64, 7],
    [128, 9],
    [1000, 13],
  ])(
    '%i partitions, %i members, the first one leaves: nothing moves among those who stay',
    (partitions, size) => {
      const members = Object.fromEntries(Array.from({ length: size }, (_, m) => [`c${10 + m}`, ['t1']]));
      const group = new Group({ t1: partitions }, members);
      group.rebalance();
      group.leave('c10').rebalance();
      expect(group.needless).toBe(0);
    },
  );

  test('19 topics, each member one more of them: only the partitions of the one that leaves move', () => {
    const numbers = Array.from({ length: 19 }, (_, i) => i + 1);
    const name = (i: number): string => `t${String(i).padStart(2, '0')}`;
    const topics = Object.fromEntries(numbers.map((i) => [name(i), i]));
    const members = Object.fromEntries(numbers.map((i) => [`c${i}`, numbers.slice(0, i).map(name)]));
    const group = new Group(topics, members);
    const before = sizesOf(group.rebalance());
    group.leave('c10').rebalance();
    expect(group.needless).toBe(0);
    expect(group.moves).toBe(before['c10']);
  });

  test('14 topics, eight equal members, one leaves: nothing moves among the others', () => {
    const all = Array.from({ length: 14 }, (_, t) => `t${t}`);
    const topics = Object.fromEntries(all.map((topic, t) => [topic, t + 1]));
    const members = Object.fromEntries(Array.from({ length: 8 }, (_, m) => [`c${m}`, all]));
    const group = new Group(topics, members);
    group.rebalance();
    group.leave('c4').rebalance();
    expect(group.needless).toBe(0);
  });
});

describe('sizes are even per topic and not only in sum', () => {
  test('two topics of twelve: 1, 2, 4 and again 2 members', () => {
    const group = new Group({ t1: 12, t2: 12 }, { c1: BOTH });
    const perTopic = (): unknown =>
      [...group.topics.keys()].map((topic) => Object.values(sizesOf(group.current, topic)));
    group.rebalance();
    expect(perTopic()).toEqual([[12], [12]]);
    group.subscribe('c2', ...BOTH).rebalance();
    expect(perTopic()).toEqual([
      [6, 6],
      [6, 6],
    ]);
    group
      .subscribe('c3', ...BOTH)
      .subscribe('c4', ...BOTH)
      .rebalance();
    expect(perTopic()).toEqual([
      [3, 3, 3, 3],
      [3, 3, 3, 3],
    ]);
    group.leave('c1', 'c2').rebalance();
    expect(perTopic()).toEqual([
      [6, 6],
      [6, 6],
    ]);
  });

  test('two topics of 84, three members and then a fourth', () => {
    const group = new Group({ t1: 84, t2: 84 }, { c1: BOTH, c2: BOTH, c3: BOTH });
    group.rebalance();
    group.subscribe('c4', ...BOTH).rebalance();
    for (const topic of BOTH) expect(Object.values(sizesOf(group.current, topic))).toEqual([21, 21, 21, 21]);
    expect([group.moves, group.needless]).toEqual([42, 0]);
  });
});

describe('one member takes the place of another', () => {
  test('a new id in a leave and a join at once: it gets what is free, nothing else moves', () => {
    const group = new Group({ t1: 6, t2: 6 }, { c1: BOTH, c2: BOTH, c3: BOTH });
    const before = sizesOf(group.rebalance());
    group
      .leave('c2')
      .subscribe('c9', ...BOTH)
      .rebalance();
    expect(group.needless).toBe(0);
    expect(sizesOf(group.current)['c9']).toBe(before['c2']);
  });

  test('an instance that returns under its member id changes nothing', () => {
    const group = new Group({ t1: 6 }, { c1: ['t1'], c2: ['t1'], c3: ['t1'] });
    const before = group.rebalance();
    const after = group.leave('c2').subscribe('c2', 't1').rebalance();
    expect(after).toBe(before);
  });
});

describe('an assignment that is even already', () => {
  const members = membersOf({ c1: BOTH, c2: BOTH });
  const topics = topicsOf({ t1: 3, t2: 3 });

  test('is returned as it is, also when another assignor made it', () => {
    const current = ownedBy({ c1: { t1: [1], t2: [0, 2] }, c2: { t1: [0, 2], t2: [1] } });
    expect(stickyAssignor.assign({ members, topics, current })).toBe(current);
  });

  test('two members that swapped everything are left alone', () => {
    const swapped = ownedBy({ c1: { t1: [1], t2: [1, 2] }, c2: { t1: [0, 2], t2: [0] } });
    expect(stickyAssignor.assign({ members, topics, current: swapped })).toBe(swapped);
  });

  test('is a new object when a member came that gets nothing', () => {
    const current = ownedBy({ c1: { t1: [0] }, c2: { t1: [1] } });
    const input = {
      members: membersOf({ c1: ['t1'], c2: ['t1'], c3: ['t1'] }),
      topics: topicsOf({ t1: 2 }),
      current,
    };
    const after = stickyAssignor.assign(input);
    expect(after.memberIds).toEqual(['c1', 'c2', 'c3']);
    expect(countMoves(current, after)).toBe(0);
  });
});
