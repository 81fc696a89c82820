/** A worker and a primary die behind Sentinels; the whole matrix is `pnpm faults --topology sentinel`. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSmokeWorld, type SmokeWorld } from './smoke-world.ts';

/** Servers and seven processes start; every row is bounded by its own waits. */
const TIMEOUT_MS = 120_000;

let world: SmokeWorld;

beforeAll(async () => {
  world = await startSmokeWorld('sentinel');
}, TIMEOUT_MS);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
}, TIMEOUT_MS);

test.for(['kill-worker', 'failover'])('%s breaks no promise', { timeout: TIMEOUT_MS }, async (fault) => {
  const { findings, directory, line } = await world.run(fault);
  expect(findings, `history: ${directory}`).toEqual([]);
  expect(line.acked).toBeGreaterThan(0);
  // To two groups; that each of them was given everything is what the checker has seen.
  expect(line.delivered).toBeGreaterThan(line.acked);
});
