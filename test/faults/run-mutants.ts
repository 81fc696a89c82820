/**
 * Runs each mutant of the product with the faults that show it, until the checker has found what was expected of it: a
 * checker that has never caught anything is not to be trusted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MUTANTS } from '../mutants/mutants.ts';
import type { VerdictLine } from './verdict/verdict.ts';

/** The faults that show a mutant, the likeliest first. */
const SHOWN_BY: Readonly<Record<string, readonly string[]>> = {
  'no-epoch-check': ['late-commands', 'cut-to-server', 'freeze-worker'],
  'no-nonce': ['late-commands', 'cut-to-server', 'freeze-worker'],
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
  let caught = 0;
  for (const { name, expect } of MUTANTS) {
    const found = await hunt(name, expect, seed);
    if (found !== null) caught++;
    print(`${name.padEnd(26)} ${found ?? `NOT CAUGHT: expected ${expect.join(' or ')}`}`);
  }
  print(`${caught} of ${MUTANTS.length} mutants caught`);
  return caught === MUTANTS.length;
}

/** By what the mutant was caught; `null` when it was not. */
async function hunt(mutant: string, expected: readonly string[], seed: number): Promise<string | null> {
  const faults = SHOWN_BY[mutant] ?? [];
  for (const fault of faults) {
    const line = await runMutant(mutant, [
      '--mutant',
      mutant,
      '--fault',
      fault,
      '--seed',
      String(seed),
      '--json',
    ]);
    const names = Object.entries(line.anomalies).filter(([name]) => expected.includes(name));
    if (names.length > 0) return `${names.map(([name, count]) => `${name} ${count}`).join(', ')} (${fault})`;
  }
  return null;
}

async function runMutant(mutant: string, args: readonly string[]): Promise<VerdictLine> {
  const output: string[] = [];
  await withMutant(mutant, args, (text) => output.push(text));
  const last = output.join('').trim().split('\n').at(-1) ?? '';
  return JSON.parse(last) as VerdictLine;
}

/** This program with the mutant in it, and in all processes that it starts. Gives its exit code. */
export async function withMutant(
  mutant: string,
  args: readonly string[],
  onOutput: (text: string) => void,
): Promise<number> {
  const child = spawn(process.execPath, ['--import', REGISTER, RUN, ...args], {
    env: { ...process.env, MILLRACE_MUTANT: mutant },
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
