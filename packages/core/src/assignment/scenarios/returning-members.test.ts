/**
 * Members that come back with an idea of what they own. What they claim is not asked for: the current assignment is in
 * the group's state, one owner a partition, so a claim of an older generation cannot win and two claims cannot both.
 */
import { describe, expect, test } from 'vitest';
import { assignmentFromMembers } from '../assignment-from-members.ts';
import { Group, sizesOf } from './group.ts';

describe('a member returns', () => {
  test('while another one leaves: what it had before is no longer its, sizes are even', () => {
    const group = new Group({ t1: 12 }, { c1: ['t1'], c2: ['t1'], c3: ['t1'] });
    group.rebalance();
    group.leave('c3').rebalance();
    expect(sizesOf(group.current)).toEqual({ c1: 6, c2: 6 });
    group.leave('c1').subscribe('c3', 't1').rebalance();
    expect(sizesOf(group.current)).toEqual({ c2: 6, c3: 6 });
    expect(group.needless).toBe(0);
  });

  test('all but one leave and come back: the one gives up what is needed and no more', () => {
    const group = new Group({ t1: 12 }, { c1: ['t1'], c2: ['t1'], c3: ['t1'] });
    group.rebalance();
    group.leave('c2', 'c3').rebalance();
    expect(sizesOf(group.current)).toEqual({ c1: 12 });
    group.subscribe('c2', 't1').subscribe('c3', 't1').rebalance();
    expect(sizesOf(group.current)).toEqual({ c1: 4, c2: 4, c3: 4 });
    expect(group.moves).toBe(8);
  });

  test.each([
    ['c1', 'c2', 'c3'],
    ['c2', 'c3', 'c1'],
    ['c3', 'c1', 'c2'],
  ])(
    'a partition that %s and %s both claim is refused where an assignment is built, also before %s',
    (first, second, third) => {
      const claims = [first, second].map((memberId) => [memberId, new Map([['t1', [2]]])] as const);
      expect(() => assignmentFromMembers([...claims, [third, new Map()]])).toThrow(
        `partition t1/2 is given to "${first}" and to "${second}"`,
      );
    },
  );
});
