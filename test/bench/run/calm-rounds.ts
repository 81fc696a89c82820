/**
 * Which rounds were disturbed by somebody else on the machine. The kernel tells: on a virtual machine it counts the time that
 * the host gave to others while a thread was to run, and such a thread waits for milliseconds. What was measured must not decide
 * what counts. A side that uses the processors more is charged more, so a round counts as a whole or not at all: by the side
 * that was disturbed more.
 */
import { readFileSync } from 'node:fs';

/** Of the processors' time in one turn; at three seconds and two cores six ticks of the kernel. */
const MOST_STOLEN = 0.01;

/** What the host took of the time of all processors since the call, 0 to 1; 0 where the system does not tell. */
export function watchHost(read: () => string = processorTimes): () => number {
  const before = ticksIn(read());
  return () => {
    const now = ticksIn(read());
    const all = now.all - before.all;
    return all > 0 ? (now.stolen - before.stolen) / all : 0;
  };
}

function processorTimes(): string {
  try {
    return readFileSync('/proc/stat', 'latin1');
  } catch {
    return '';
  }
}

/** Of the line of all processors in /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)). */
function ticksIn(stat: string): { all: number; stolen: number } {
  const [, ...fields] = (/^cpu .*$/m.exec(stat)?.[0] ?? '').split(/\s+/);
  // Behind them: the time of guests, which user and nice contain.
  const ticks = fields.slice(0, 8).map(Number);
  return { all: ticks.reduce((sum, ticksOfOne) => sum + ticksOfOne, 0), stolen: ticks[7] ?? 0 };
}

export function isCalm(stolen: number): boolean {
  return stolen <= MOST_STOLEN;
}

/** The `wanted` rounds in which the host took least, in the order in which they were; of equal ones the first. */
export function calmest<T extends { readonly stolen: number }>(
  rounds: readonly T[],
  wanted: number,
): readonly T[] {
  const chosen = new Set(rounds.toSorted((one, other) => one.stolen - other.stolen).slice(0, wanted));
  return rounds.filter((round) => chosen.has(round));
}
