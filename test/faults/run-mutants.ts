/**
 * Runs each mutant of the product with the faults that show it, until the checker has found what was expected of it: a
 * checker that has never caught anything is not to be trusted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTANTS } from '../mutants/mutants.ts';
import type { VerdictLine } from './verdict/verdict.ts';

/** The faults that show a mutant, the likeliest first. */
const SHOWN_BY: Readonly<Record<string, readonly string[]>> = {
  'no-epoch-check': ['stale-commits', 'freeze-worker'],
  'no-nonce': ['stale-commits', 'freeze-worker'],
  resend: ['lose-append-replies', 'reset-connections'],
  'commit-before-process': ['kill-worker', 'freeze-worker'],
  'release-after-grant': ['terminate-worker', 'rolling-restart'],
  'no-rewind-after-failover': ['restore-backup', 'power-loss-everysec'],
  'trim-past-group': ['freeze-worker', 'kill-worker'],
  'redlock-not-rechecked': ['two-leaders', 'freeze-leader'],
};

const REGISTER = new URL('../mutants/register.ts', import.meta.url).href;
const RUN = fileURLToPath(new URL('run.ts', import.meta.url));

/** True when every mutant was caught by one of the names that it should be caught by. */
export async function runMutants(seed: number, print: (line: string) => void): Promise<boolean> {
  // Their histories are not clean and would all stay.
  const directory = await mkdtemp(join(tmpdir(), 'millrace-mutants-'));
  let caught = 0;
  for (const { name, expect } of MUTANTS) {
    const found = await hunt(name, expect, { seed, directory });
    if (found !== null) caught++;
    print(`${name.padEnd(26)} ${found ?? `NOT CAUGHT: expected ${expect.join(' or ')}`}`);
  }
  await rm(directory, { recursive: true });
  print(`${caught} of ${MUTANTS.length} mutants caught`);
  return caught === MUTANTS.length;
}

interface Hunting {
  readonly seed: number;
  readonly directory: string;
}

/** By what the mutant was caught; `null` when it was not. */
async function hunt(mutant: string, expected: readonly string[], hunting: Hunting): Promise<string | null> {
  const faults = SHOWN_BY[mutant] ?? [];
  for (const fault of faults) {
    const line = await runMutant(mutant, fault, hunting);
    const names = Object.entries(line.anomalies).filter(([name]) => expected.includes(name));
    if (names.length > 0) return `${names.map(([name, count]) => `${name} ${count}`).join(', ')} (${fault})`;
  }
  return null;
}

async function runMutant(mutant: string, fault: string, { seed, directory }: Hunting): Promise<VerdictLine> {
  const output: string[] = [];
  const args = ['--mutant', mutant, '--fault', fault, '--seed', String(seed), '--json'];
  await withMutant(mutant, args, (text) => output.push(text), { TMPDIR: directory });
  const last = output.join('').trim().split('\n').at(-1) ?? '';
  return JSON.parse(last) as VerdictLine;
}

/** This program with the mutant in it, and in all processes that it starts. Gives its exit code. */
export async function withMutant(
  mutant: string,
  args: readonly string[],
  onOutput: (text: string) => void,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const child = spawn(process.execPath, ['--import', REGISTER, RUN, ...args], {
    env: { ...process.env, MILLRACE_MUTANT: mutant, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.setEncoding('utf8').on('data', onOutput);
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

/** Whether this process is one that `withMutant` has started. */
export function hasMutant(mutant: string): boolean {
  return process.env['MILLRACE_MUTANT'] === mutant;
}
