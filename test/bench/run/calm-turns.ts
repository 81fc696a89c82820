/**
 * Which turns of a side were disturbed by somebody else on the machine. The kernel tells: on a virtual machine it counts the
 * time that the host gave to others, and a record that waits for a core that is not there waits for milliseconds. What was
 * measured must not decide what counts, of a side or of its peer.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface Turn {
  /** What the host took of the time of all processors: 0 to 1. */
  readonly stolen: number;
}

/** Quiet turns are within a third of it. */
const MOST_STOLEN = 0.01;
/** Of a second, in /proc/stat (USER_HZ, the same on every Linux). */
const TICKS = 100;

/** Gives what the host has taken since, of the time of all processors; 0 where the system does not tell. */
export function watchHost(): () => number {
  const [before, startedMs] = [stolenSeconds(), performance.now()];
  return () => {
    const seconds = (performance.now() - startedMs) / 1_000;
    return (stolenSeconds() - before) / (seconds * availableParallelism());
  };
}

function stolenSeconds(): number {
  try {
    return stolenIn(readFileSync('/proc/stat', 'latin1'));
  } catch {
    return 0;
  }
}

/** Of the text of /proc/stat (proc_stat(5)): the eighth figure of all cores together, in seconds. */
export function stolenIn(stat: string): number {
  const [, ...ticks] = (/^cpu .*$/m.exec(stat)?.[0] ?? '').split(/\s+/);
  return Number(ticks[7] ?? 0) / TICKS;
}

export function isCalm(stolen: number): boolean {
  return stolen <= MOST_STOLEN;
}

/** The `wanted` turns that the host took least from, the calmest first: so that sides are compared like with like. */
export function calmest<T extends Turn>(turns: readonly T[], wanted: number): readonly T[] {
  return turns.toSorted((one, other) => one.stolen - other.stolen).slice(0, wanted);
}
