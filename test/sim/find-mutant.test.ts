/** An invariant that has never been broken is not trusted. */
import { describe, expect, test } from 'vitest';
import { MUTANTS } from '../mutants/mutants.ts';
import { EXPECTED, findMutant } from './find-mutant.ts';

test('every mutant of the product has an invariant that it must break', () => {
  expect(MUTANTS.map(({ name }) => name).toSorted()).toEqual(Object.keys(EXPECTED).toSorted());
});

describe('the simulation finds', () => {
  test.for(Object.keys(EXPECTED))('%s', { timeout: 120_000 }, async (mutant) => {
    expect(await findMutant(mutant, 5_000)).toMatchObject({ isFound: true });
  });
});
