/** What a run of the bench gives: the rows, and what it was run on. Plain data: `--json` prints it, `--write` reads it. */
import type { BenchRow } from './row.ts';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  readonly redis: string;
}

export interface BenchResult {
  readonly version: 1;
  /** Day of the run, UTC. */
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly scale: number;
  readonly seconds: number;
  readonly rows: readonly BenchRow[];
}

export function isReached({ rows }: BenchResult): boolean {
  return rows.every(({ verdict }) => verdict === 'pass' || verdict === 'not available');
}

/** Throws for what `pnpm bench --json` has not printed. */
export function parseResult(text: string, name: string): BenchResult {
  let found: unknown = null;
  try {
    found = JSON.parse(text);
  } catch {
    // Told below, like everything else that it has not printed.
  }
  if (typeof found !== 'object' || found === null || (found as { version?: unknown }).version !== 1)
    throw new Error(`${name} is no result of \`pnpm bench --json\``);
  return found as BenchResult;
}
