/** A generator with a seed (Numerical Recipes' linear congruential one), so that a large random group is the same each time. */
export interface SeededRandom {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  return {
    below(limit) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      // From the high bits: the low ones of such a generator repeat after a few steps.
      return Math.floor((state / 2 ** 32) * limit);
    },
  };
}
