import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyAssignment } from './assignment.ts';
import { rangeAssignor } from './range-assignor.ts';
import { membersOf, ownedIn, topicsOf } from './scenarios/group.ts';
import { spreadFaults } from './scenarios/faults.ts';
import { verifyAssignment } from './verify-assignment.ts';

const BOTH = ['t1', 't2'];

function assign(topics: Record<string, number>, members: Record<string, readonly string[]>) {
  return rangeAssignor.assign({
    members: membersOf(members),
    topics: topicsOf(topics),
    current: emptyAssignment,
  });
}

describe('the range assignor', () => {
  test('gives neighbours to one member, the first members get one more, per topic', () => {
    expect(ownedIn(assign({ t1: 3, t2: 3 }, { c2: BOTH, c1: BOTH }))).toEqual({
      c1: { t1: [0, 1], t2: [0, 1] },
      c2: { t1: [2], t2: [2] },
    });
  });

  test('cuts two topics of one size alike, so that equal keys meet', () => {
    const { owners } = assign({ t1: 17, t2: 17 }, { c1: BOTH, c2: BOTH, c3: BOTH, c4: BOTH, c5: BOTH });
    expect(owners.get('t1')).toEqual(owners.get('t2'));
  });

  test('counts subscribers of each topic for itself', () => {
    expect(ownedIn(assign({ t1: 3, t2: 4 }, { c1: ['t1'], c2: BOTH, c3: ['t2'] }))).toEqual({
      c1: { t1: [0, 1] },
      c2: { t1: [2], t2: [0, 1] },
      c3: { t2: [2, 3] },
    });
  });

  test('more members than partitions, no subscribers, no members', () => {
    expect(ownedIn(assign({ t1: 1 }, { c1: ['t1'], c2: ['t1'] }))).toEqual({ c1: { t1: [0] }, c2: {} });
    expect(assign({ t1: 2 }, { c1: [] }).owners.get('t1')).toEqual(Int32Array.of(-1, -1));
    expect(assign({ t1: 2 }, {}).owners.get('t1')).toEqual(Int32Array.of(-1, -1));
  });

  test('an unchanged group gets the same object back', () => {
    const input = { members: membersOf({ c1: ['t1'], c2: ['t1'] }), topics: topicsOf({ t1: 5 }) };
    const first = rangeAssignor.assign({ ...input, current: emptyAssignment });
    expect(rangeAssignor.assign({ ...input, current: structuredClone(first) })).not.toBe(first);
    expect(rangeAssignor.assign({ ...input, current: first })).toBe(first);
  });

  test('every group gets a valid assignment with spread, in one block a topic', () => {
    const topics = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(20));
    const subscriptions = fc.dictionary(fc.string({ minLength: 1 }), fc.subarray(['a', 'b', 'c', 'gone']));
    fc.assert(
      fc.property(topics, subscriptions, (counts, members) => {
        const input = { members: membersOf(members), topics: topicsOf(counts), current: emptyAssignment };
        const assignment = rangeAssignor.assign(input);
        expect(verifyAssignment(input, assignment)).toEqual([]);
        expect(spreadFaults(input, assignment)).toEqual([]);
        for (const owners of assignment.owners.values()) expect(owners).toEqual(owners.toSorted());
      }),
    );
  });
});
