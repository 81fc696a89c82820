/** The real group, leader and consumer code in simulated worlds: `pnpm sim` for more of them, and for what failed. */
import { expect, test } from 'vitest';
import { runSeed } from './run-seed.ts';
import { runSeeds } from './run-seeds.ts';

/** What a person needs to see of a seed that fails. */
function told({ seed, failure }: Awaited<ReturnType<typeof runSeed>>): string {
  return `seed ${seed}: ${failure?.invariant} at event ${failure?.event}: ${failure?.what}`;
}

test('every invariant holds in 200 worlds of 5,000 events', { timeout: 240_000 }, async () => {
  const summary = await runSeeds({ firstSeed: 1, seeds: 200, events: 5_000 });
  expect(summary.failures.map(told)).toEqual([]);
  expect(summary.seeds).toBe(200);
  // Worlds in which nothing happens would hold any invariant.
  expect(summary.delivered).toBeGreaterThan(50_000);
  expect(summary.lost).toBeGreaterThan(500);
  expect(summary.trimmed).toBeGreaterThan(5_000);
});

test('a seed gives the same course of events again', { timeout: 60_000 }, async () => {
  const first = await runSeed({ seed: 17, events: 2_000 });
  const other = await runSeed({ seed: 18, events: 2_000 });
  const again = await runSeed({ seed: 17, events: 2_000 });
  expect(again).toEqual(first);
  expect(other.traceHash).not.toBe(first.traceHash);
});
