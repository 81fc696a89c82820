import { describe, expect, test } from 'vitest';
import { savingOfBestChain } from './better-chain.ts';
import { membersOf, ownedBy, topicsOf } from './group.ts';

describe('the proof that large groups rely on', () => {
  test('finds a chain over two topics that evens out 3, 2, 1', () => {
    const members = membersOf({ c1: ['t1', 't2', 't3'], c2: ['t3', 't4', 't5'], c3: ['t5', 't6'] });
    const topics = topicsOf({ t1: 1, t2: 1, t3: 1, t4: 1, t5: 1, t6: 1 });
    const uneven = ownedBy({ c1: { t1: [0], t2: [0], t3: [0] }, c2: { t4: [0], t5: [0] }, c3: { t6: [0] } });
    const free = { members, topics, current: ownedBy({ c1: {}, c2: {}, c3: {} }) };
    expect(savingOfBestChain(free, uneven)).toBe(1);
    // It takes two moves and evens out by one, so it does not pay where they are moves.
    expect(savingOfBestChain({ ...free, current: uneven }, uneven)).toBe(0);
  });

  test('finds a cycle that gives two members back what they had', () => {
    const members = membersOf({ c1: ['t1', 't2'], c2: ['t1', 't2'] });
    const topics = topicsOf({ t1: 1, t2: 1 });
    const current = ownedBy({ c1: { t1: [0] }, c2: { t2: [0] } });
    const swapped = ownedBy({ c1: { t2: [0] }, c2: { t1: [0] } });
    expect(savingOfBestChain({ members, topics, current }, swapped)).toBeGreaterThan(0);
    expect(savingOfBestChain({ members, topics, current }, current)).toBe(0);
  });
});
