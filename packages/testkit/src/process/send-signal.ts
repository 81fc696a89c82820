/** Sends a signal and, for SIGSTOP, waits until it has taken effect: a test that freezes a process must know it frozen. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Throws when the process does not exist. Resolves for SIGSTOP when the process has stopped (seen in /proc, so on Linux
 * only; elsewhere at once), for every other signal when it was sent.
 */
export async function sendSignal(pid: number, name: NodeJS.Signals): Promise<void> {
  process.kill(pid, name);
  if (name !== 'SIGSTOP' || process.platform !== 'linux') return;
  while (!(await hasStopped(pid))) await delay(1);
}

/** True also for a process that has ended meanwhile: nothing is left to wait for. */
async function hasStopped(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (status === undefined) return true;
  // "pid (name) state …"; the name can hold spaces and parentheses.
  const state = status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3);
  return state === 'T' || state === 't' || state === 'Z' || state === 'X';
}
