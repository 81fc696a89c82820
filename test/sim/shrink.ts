/**
 * Makes the list of faults of a failing seed shorter, as long as the same invariant still breaks: delta debugging
 * (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002). A world without one of its faults
 * is another world, so every list is run.
 */
import type { Fault } from './faults.ts';
import { runSeed, type SeedResult } from './run-seed.ts';

export interface ShrinkOptions {
  readonly seed: number;
  readonly events: number;
  readonly onShorter?: (result: SeedResult) => void;
}

/** The result of the shortest list that was found; null when the seed does not fail. */
export async function shrink({ seed, events, onShorter }: ShrinkOptions): Promise<SeedResult | null> {
  let best = await runSeed({ seed, events });
  const invariant = best.failure?.invariant;
  if (invariant === undefined) return null;

  async function fails(faults: readonly Fault[]): Promise<boolean> {
    const result = await runSeed({ seed, events, faults });
    if (result.failure?.invariant !== invariant) return false;
    best = result;
    onShorter?.(result);
    return true;
  }

  let parts = 2;
  while (best.faults.length > 0) {
    const size = Math.ceil(best.faults.length / parts);
    if (!(await dropOnePart(best.faults, size, fails))) {
      if (size === 1) break;
      parts = Math.min(best.faults.length, parts * 2);
    } else {
      parts = Math.max(2, parts - 1);
    }
  }
  return best;
}

async function dropOnePart(
  faults: readonly Fault[],
  size: number,
  fails: (faults: readonly Fault[]) => Promise<boolean>,
): Promise<boolean> {
  for (let first = 0; first < faults.length; first += size) {
    if (await fails([...faults.slice(0, first), ...faults.slice(first + size)])) return true;
  }
  return false;
}
