/**
 * Runs one Redis process under a tiny shell that holds the read end of a pipe of ours. When this process ends, however it
 * ends, the kernel closes the pipe, the shell reads end-of-file, kills Redis and deletes its folder. An exit handler would
 * not do: SIGKILL runs none. `PR_SET_PDEATHSIG` would not either: it is Linux only and says nothing about the folder.
 *
 * The shell is in a session of its own, so that Ctrl-C in the terminal reaches the tests first and Redis last.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

/**
 * The first line of the output is the pid of Redis. The shell then closes its own copy of the output, so that the
 * output's end means that Redis has ended. SIGKILL, because it also ends a stopped (SIGSTOP) process.
 */
const script = `
folder=$1
shift
"$@" </dev/null 2>&1 &
pid=$!
echo "$pid"
exec 1>&-
remove=yes
finish() {
  kill -KILL "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  [ "$remove" = no ] || rm -rf -- "$folder"
}
trap 'finish; exit' HUP INT TERM
while read -r word; do
  [ "$word" = keep ] && remove=no
done
finish
`;

export interface SupervisedRedis {
  readonly pid: number;
  hasEnded(): boolean;
  /** Resolves with what Redis wrote to stdout and stderr when Redis has ended, for whatever reason. */
  waitUntilEnded(): Promise<string>;
  /** Kills Redis if it still runs; with `folder: 'remove'` its data too. Resolves when all of it is gone. */
  close(folder: 'keep' | 'remove'): Promise<void>;
}

/** Runs `command` (a program and its arguments) in the folder. Does not wait until Redis answers. */
export async function superviseRedis(
  command: readonly string[],
  dataFolder: string,
): Promise<SupervisedRedis> {
  const shell = spawn('/bin/sh', ['-c', script, 'millrace-redis', dataFolder, ...command], {
    cwd: dataFolder,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(shell, 'spawn');
  const shellExited = once(shell, 'exit');
  // A test process must be able to end without stopping its Redis: the pipe does that.
  shell.unref();
  const input = shell.stdin as Socket;
  const output = shell.stdout as Socket;
  input.unref();
  input.on('error', () => {}); // EPIPE when the shell was killed by hand: `close` has nothing left to say to it
  output.setEncoding('utf8');

  const firstLine = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<string>();
  let text = '';
  let over = false;
  let pid: number | undefined;
  output.on('data', (chunk: string) => {
    text += chunk;
    const newline = text.indexOf('\n');
    if (pid !== undefined || newline < 0) return;
    pid = Number(text.slice(0, newline));
    text = text.slice(newline + 1);
    firstLine.resolve(pid);
  });
  output.on('close', () => {
    over = true;
    firstLine.reject(new Error(`the shell that runs ${command.join(' ')} ended before it started it`));
    ended.resolve(text.trim());
  });
  await firstLine.promise;
  output.unref();

  const waitUntilEnded = (): Promise<string> => {
    output.ref(); // whoever waits must not find the event loop empty
    return ended.promise;
  };
  return {
    pid: await firstLine.promise,
    hasEnded: () => over,
    waitUntilEnded,
    async close(folder) {
      shell.ref();
      input.end(folder === 'keep' ? 'keep\n' : '');
      await shellExited; // after it has waited for Redis
    },
  };
}
