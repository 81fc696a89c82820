/** Many seeds, in as many processes as are wanted: a simulation keeps one core busy and shares nothing. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { SeedResult } from './run-seed.ts';

export interface SeedsOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly events: number;
  /** Processes; by default one per core. */
  readonly jobs?: number;
  /** A defect to put into the product and into the model: see `test/mutants`. */
  readonly mutant?: string;
  /** Ends at the first seed that fails. */
  readonly stopsAtFailure?: boolean;
  readonly onResult?: (result: SeedResult) => void;
}

export interface SeedsSummary {
  readonly seeds: number;
  readonly events: number;
  readonly delivered: number;
  readonly appended: number;
  readonly lost: number;
  readonly trimmed: number;
  /** Longest time of calm in which somebody had to own a partition and nobody did. */
  readonly longestUnownedMs: number;
  /** Longest time that a world took to come to rest after its last fault. */
  readonly longestRestMs: number;
  readonly failures: readonly SeedResult[];
}

export interface SeedProcessTask {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly step: number;
  readonly events: number;
}

const ENTRY = fileURLToPath(new URL('./seed-process.ts', import.meta.url));
const REGISTER_MUTANT = new URL('../mutants/register.ts', import.meta.url).href;

export async function runSeeds(options: SeedsOptions): Promise<SeedsSummary> {
  const { firstSeed, seeds, events, mutant, stopsAtFailure = false, onResult } = options;
  const jobs = Math.max(1, Math.min(seeds, options.jobs ?? availableParallelism()));
  const results: SeedResult[] = [];
  const children = new Set<ReturnType<typeof fork>>();
  const runs = Array.from({ length: jobs }, (_, job) => {
    const task: SeedProcessTask = {
      firstSeed: firstSeed + job,
      seeds: Math.ceil((seeds - job) / jobs),
      step: jobs,
      events,
    };
    return new Promise<void>((resolve, reject) => {
      const child = fork(ENTRY, [JSON.stringify(task)], {
        execArgv: mutant === undefined ? [] : ['--import', REGISTER_MUTANT],
        env: { ...process.env, ...(mutant === undefined ? {} : { MILLRACE_MUTANT: mutant }) },
      });
      children.add(child);
      child.on('message', (result: SeedResult) => {
        results.push(result);
        onResult?.(result);
        if (stopsAtFailure && result.failure !== null) for (const one of children) one.kill('SIGKILL');
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        children.delete(child);
        if (code === 0 || signal === 'SIGKILL') resolve();
        else reject(new Error(`a process of the simulation ended with ${code ?? signal}`));
      });
    });
  });
  await Promise.all(runs);
  return summaryOf(results);
}

function summaryOf(results: readonly SeedResult[]): SeedsSummary {
  const sum = (of: (result: SeedResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const longest = (of: (result: SeedResult) => number): number =>
    results.reduce((most, result) => Math.max(most, of(result)), 0);
  return {
    seeds: results.length,
    events: sum((result) => result.events),
    delivered: sum((result) => result.delivered),
    appended: sum((result) => result.appended),
    lost: sum((result) => result.lost),
    trimmed: sum((result) => result.trimmed),
    longestUnownedMs: Math.round(longest((result) => result.longestUnownedMs)),
    longestRestMs: Math.round(longest((result) => result.restMs)),
    failures: results.filter((result) => result.failure !== null).toSorted((a, b) => a.seed - b.seed),
  };
}
