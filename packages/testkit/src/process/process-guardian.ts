/**
 * Kills the processes that we started when we end, however we end: a shell that reads our pipe learns of our death from
 * the kernel. A handler for 'disconnect' in the child would not do: a stopped child runs none, a busy one runs it late.
 */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** Each pid leads a process group of its own, so that what a child started goes with it. */
const script = `
watched=''
while read -r verb pid; do
  rest=''
  for other in $watched; do [ "$other" = "$pid" ] || rest="$rest $other"; done
  watched=$rest
  [ "$verb" = watch ] && watched="$watched $pid"
done
for pid in $watched; do kill -KILL "-$pid" 2>/dev/null; done
`;

let input: Socket | undefined;

function guardianInput(): Socket {
  if (input !== undefined && input.writable) return input;
  const shell = spawn('/bin/sh', ['-c', script, 'millrace-guardian'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  input = shell.stdin as Socket;
  input.unref();
  input.on('error', () => (input = undefined)); // killed by hand: the next process gets a new guardian
  return input;
}

/** Starts the guardian, so that between a fork and `watchProcess` there is nothing left to do but one write. */
export function prepareGuardian(): void {
  guardianInput();
}

export function watchProcess(pid: number): void {
  guardianInput().write(`watch ${pid}\n`);
}

/** To be called when the process has ended: its pid may belong to somebody else soon. */
export function forgetProcess(pid: number): void {
  guardianInput().write(`forget ${pid}\n`);
}
