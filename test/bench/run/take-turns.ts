/**
 * Sides take turns on one server: a round is one measurement of each, and no side is always the one that finds the
 * caches, or the memory of the server, as another has left them. The first round warms up and counts for nothing.
 */
import { median } from '../median.ts';
import type { Cost } from '../report/row.ts';
import type { Bench } from './bench.ts';
import type { Timing } from './stopwatch.ts';

export interface Sample extends Timing {
  /** Processor time of the Redis server meanwhile. */
  readonly redisCpuSeconds: number;
}

export interface Contestant<Name extends string = string> {
  readonly name: Name;
  /** What is not part of the measurement, Redis' time for it included. */
  prepare?(): Promise<unknown>;
  /** Returns what was measured; what it verifies afterwards must cost next to nothing. */
  measure(): Promise<Timing>;
}

export async function takeTurns<Name extends string>(
  bench: Bench,
  what: string,
  contestants: readonly Contestant<Name>[],
): Promise<Record<Name, Sample[]>> {
  const samples = Object.fromEntries(contestants.map(({ name }) => [name, [] as Sample[]]));
  for (let round = 0; round <= bench.rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(round + turn) % contestants.length];
      if (contestant === undefined) continue;
      const { name } = contestant;
      bench.progress.begin(`${what}: ${name}, ${round === 0 ? 'warm-up' : `round ${round}`}`);
      await contestant.prepare?.();
      const before = await bench.redisCpuSeconds();
      const timing = await contestant.measure();
      const redisCpuSeconds = (await bench.redisCpuSeconds()) - before;
      if (round > 0) samples[name]?.push({ ...timing, redisCpuSeconds });
    }
  }
  return samples as Record<Name, Sample[]>;
}

export function recordsPerSecond(samples: readonly Sample[]): number[] {
  return samples.map(({ records, seconds }) => records / seconds);
}

/** Processor time for a record, client and server together, microseconds. */
export function costUs(samples: readonly Sample[]): number[] {
  return samples.map((sample) => ((sample.cpuSeconds + sample.redisCpuSeconds) / sample.records) * 1e6);
}

/** The same apart, by side: of those that were measured. */
export function costsOf(samples: Readonly<Record<string, readonly Sample[]>>, ...sides: string[]) {
  const costs: Record<string, Cost> = {};
  for (const side of sides) {
    const own = samples[side] ?? [];
    const perRecord = (seconds: (sample: Sample) => number): number =>
      median(own.map((sample) => (seconds(sample) / sample.records) * 1e6));
    costs[side] = {
      clientUs: perRecord(({ cpuSeconds }) => cpuSeconds),
      redisUs: perRecord(({ redisCpuSeconds }) => redisCpuSeconds),
    };
  }
  return costs;
}
