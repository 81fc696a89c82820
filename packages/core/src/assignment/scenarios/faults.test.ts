import { describe, expect, test } from 'vitest';
import { balanceFaults, faultsOf, spreadFaults } from './faults.ts';
import { membersOf, ownedBy, topicsOf } from './group.ts';
import type { AssignmentInput } from '../types.ts';

const owned = ownedBy({ c1: { t1: [0, 1], t2: [0, 1] }, c2: { t1: [2], t2: [2] } });

function inputFor(
  topics: Record<string, number>,
  members = { c1: ['t1', 't2'], c2: ['t1', 't2'] },
): AssignmentInput {
  return { members: membersOf(members), topics: topicsOf(topics), current: owned };
}

describe('the checks that the scenarios rely on', () => {
  test('an even assignment has no fault', () => {
    const even = ownedBy({ c1: { t1: [0, 1], t2: [0] }, c2: { t1: [2], t2: [1, 2] } });
    expect(faultsOf(inputFor({ t1: 3, t2: 3 }), even)).toEqual([]);
  });

  test('both extras at one member are a fault of balance and not of spread', () => {
    expect(spreadFaults(inputFor({ t1: 3, t2: 3 }), owned)).toEqual([]);
    expect(balanceFaults(inputFor({ t1: 3, t2: 3 }), owned)).toEqual([
      't1: an extra at 4, a subscriber without at 2',
      't2: an extra at 4, a subscriber without at 2',
    ]);
  });

  test('two more than another subscriber of the topic is a fault of spread', () => {
    const skewed = ownedBy({ c1: { t1: [0, 1, 2] }, c2: { t1: [3] } });
    const input = inputFor({ t1: 4 }, { c1: ['t1'], c2: ['t1'] });
    expect(spreadFaults(input, skewed)).toEqual(['t1: c2 neither at 2 nor at 3', 't1: 1 members at 3']);
  });

  test('a member above the ceiling is a fault of spread even when sizes are equal', () => {
    const swapped = ownedBy({ c1: { t1: [0, 1] }, c2: { t2: [0, 1] } });
    expect(spreadFaults(inputFor({ t1: 2, t2: 2 }), swapped)).not.toEqual([]);
  });

  test('an owner without a subscription is a fault', () => {
    expect(faultsOf(inputFor({ t1: 3, t2: 3 }, { c1: ['t1', 't2'], c2: ['t1'] }), owned)).toContain(
      'partition t2/2: the owner "c2" does not subscribe to the topic',
    );
  });
});
