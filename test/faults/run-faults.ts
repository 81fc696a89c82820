/** Runs what was asked for: one world per topology and seed, in it row after row. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TopologyName } from './fault.ts';
import { GROUPS, LEASE_MS, PARTITIONS, PRODUCERS, SENDS_PER_SECOND, WORKERS } from './load.ts';
import { faultsFor } from './matrix.ts';
import type { Options } from './options.ts';
import { describeFindings, describeVerdict, HEADER } from './verdict/describe.ts';
import { isClean, type Verdict } from './verdict/verdict.ts';
import { World } from './world/world.ts';

/** True when not one row had an anomaly. */
export async function runFaults(options: Options, print: (line: string) => void): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-faults-'));
  const verdicts: Verdict[] = [];
  if (!options.json) for (const line of describeLoad()) print(line);
  for (const topology of options.topologies)
    for (const seed of options.seeds)
      for await (const verdict of runWorld(options, topology, seed, directory)) {
        verdicts.push(verdict);
        print(options.json ? JSON.stringify(verdict.line) : describeVerdict(verdict));
        for (const line of describeFindings(verdict)) (options.json ? report : print)(line);
      }
  const isAllClean = verdicts.length > 0 && verdicts.every((verdict) => isClean(verdict));
  if (isAllClean && !options.keep) await rm(directory, { recursive: true });
  return isAllClean;
}

async function* runWorld(
  { faults, mutant, keep, budgetSeconds }: Options,
  topology: TopologyName,
  seed: number,
  directory: string,
): AsyncGenerator<Verdict> {
  const settings = { topology, seed, mutant, keep, directory: join(directory, `${topology}-${seed}`) };
  let world: World | null = null;
  try {
    for (const fault of faultsFor(topology, faults, budgetSeconds * 1_000)) {
      world ??= await World.start(settings);
      const verdict = await world.run(fault);
      yield verdict;
      if (isClean(verdict)) continue;
      // What is broken may stay so: the next row is not to be judged by it.
      await world[Symbol.asyncDispose]();
      world = null;
    }
  } finally {
    await world?.[Symbol.asyncDispose]();
  }
}

function describeLoad(): string[] {
  return [
    `${WORKERS} workers (half of them static) with a member in each of ${GROUPS.length} groups, ${PRODUCERS} producers with ` +
      `${SENDS_PER_SECOND} records/s each, ${PARTITIONS} partitions, lease ${LEASE_MS} ms`,
    HEADER,
  ];
}

/** Standard output holds the verdicts alone. */
function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
