/** The simulation, tested: a defect of `test/mutants` in the product and in the model must break the invariant it names. */
import { runSeeds } from './run-seeds.ts';

/** Which invariants a mutant may break first: where a course of events ends is the seed's choice. */
export const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'no-epoch-check': ['I2'],
  'no-nonce': ['I2', 'I3'],
  resend: ['duplicate'],
  'commit-before-process': ['I4'],
  'release-after-grant': ['I1', 'I2', 'unowned-delivery'],
  'no-rewind-after-failover': ['I2', 'I7'],
  'trim-past-group': ['I6', 'I8'],
  'redlock-not-rechecked': ['leader'],
};

export interface MutantVerdict {
  readonly mutant: string;
  readonly isFound: boolean;
  /** Until it was found. */
  readonly seeds: number;
  readonly invariant?: string;
  readonly what?: string;
}

const MAX_SEEDS = 60;

/** Throws RangeError for a mutant that nothing is expected of. */
export async function findMutant(mutant: string, events: number): Promise<MutantVerdict> {
  const expected = EXPECTED[mutant];
  if (expected === undefined) throw new RangeError(`no invariant is named for the mutant "${mutant}"`);
  const options = { firstSeed: 1, seeds: MAX_SEEDS, events, mutant, stopsAtFailure: true };
  const { seeds, failures } = await runSeeds(options);
  const failure = failures[0]?.failure;
  if (failure === null || failure === undefined) return { mutant, isFound: false, seeds };
  const { invariant, what } = failure;
  return { mutant, isFound: expected.includes(invariant), seeds, invariant, what };
}
