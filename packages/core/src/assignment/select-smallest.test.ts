import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectSmallest } from './select-smallest.ts';

describe('selectSmallest', () => {
  test('finds what sorting would put there, repeated values included', () => {
    const values = fc.array(fc.integer({ min: -3, max: 9 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.nat(), (list, position) => {
        const k = position % list.length;
        const sorted = Float64Array.from(list).sort();
        expect(selectSmallest(Float64Array.from(list), k)).toBe(sorted[k]);
      }),
      { numRuns: 1000 },
    );
  });

  test('does not get lost in lists that are all equal, rising or falling', () => {
    const rising = Float64Array.from({ length: 501 }, (_, i) => i);
    for (const list of [new Float64Array(501), rising, rising.toReversed()]) {
      const sorted = list.toSorted();
      for (const k of [0, 1, 250, 499, 500]) expect(selectSmallest(list.slice(), k)).toBe(sorted[k]);
    }
  });
});
