/**
 * A real process to talk to, freeze and crash: a module run by this Node, with a message channel (structured clone, so
 * that bigint, Map and Buffer pass). The module uses `process.send(message)` and `process.on('message', …)`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { forgetProcess, prepareGuardian, watchProcess } from './process-guardian.ts';
import { sendSignal } from './send-signal.ts';

export interface StartProcessOptions {
  /** The module to run: a path, or `new URL('./worker.ts', import.meta.url)`. */
  readonly module: string | URL;
  readonly args?: readonly string[];
  /** Added to this process' environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Flags for Node. Default: none (this process' own are not passed on). */
  readonly execArgv?: readonly string[];
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WaitForOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  /** Index into `messages` to search from, e.g. `messages.length` for "from now on". Default 0: also what has come. */
  readonly from?: number;
}

/** `Received` is what the child sends, `Sent` what it is sent; neither is checked at run time. */
export interface StartedProcess<Received = unknown, Sent = unknown> extends AsyncDisposable {
  readonly pid: number;
  /** Every message that has come, oldest first. */
  readonly messages: readonly Received[];
  /** Resolves when the process has ended and its output is complete. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** What it wrote to stdout and stderr, the last 64 KiB. */
  output(): string;
  /** The first message that matches. Rejects when time is up or the process ends without one. */
  waitFor<Match extends Received>(
    predicate: ((message: Received) => message is Match) | ((message: Received) => boolean),
    options?: WaitForOptions,
  ): Promise<Match>;
  send(message: Sent): Promise<void>;
  /** Resolves for SIGKILL when the process has ended, for SIGSTOP (on Linux) when it has stopped. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Kills it if it still runs, even when it is stopped. Safe to call twice. */
  stop(): Promise<void>;
}

const maxOutputChars = 64 * 1024;
const live = new Map<number, { readonly module: string; readonly stop: () => Promise<void> }>();

/** The processes that still run, for the check that a test leaves none. */
export function liveProcesses(): readonly { pid: number; module: string; stop: () => Promise<void> }[] {
  return [...live].map(([pid, entry]) => ({ pid, ...entry }));
}

/** Starts the module. Rejects when the process cannot be created; a module that throws shows in `exited`. */
export async function startProcess<Received = unknown, Sent = unknown>(
  options: StartProcessOptions,
): Promise<StartedProcess<Received, Sent>> {
  const module = options.module instanceof URL ? fileURLToPath(options.module) : options.module;
  prepareGuardian();
  const child = fork(module, options.args ?? [], {
    env: { ...process.env, ...options.env },
    execArgv: [...(options.execArgv ?? [])],
    serialization: 'advanced',
    // A group of its own: Ctrl-C then reaches the tests, and the tests decide.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const pid = child.pid;
  if (pid === undefined) {
    const [cause] = (await once(child, 'error')) as [Error];
    throw new Error(`cannot start ${module}`, { cause });
  }
  watchProcess(pid);

  const messages: Received[] = [];
  const listeners = new Set<() => void>();
  const announce = (): void => {
    for (const listener of listeners) listener(); // one that removes itself meanwhile does not disturb a Set
  };
  child.on('message', (message) => {
    messages.push(message as Received);
    announce();
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream
      ?.setEncoding('utf8')
      .on('data', (chunk: string) => (output = (output + chunk).slice(-maxOutputChars)));
  }
  let exit: ProcessExit | undefined;
  child.once('exit', () => {
    live.delete(pid);
    forgetProcess(pid);
  });
  const exited = new Promise<ProcessExit>((resolve) => {
    // 'close', not 'exit': the last messages and lines of output come between the two.
    child.once('close', (code, signal) => {
      exit = { code, signal };
      resolve(exit);
      announce();
    });
  });
  child.on('error', () => {}); // a failed send rejects there, a failed kill throws there

  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL');
    await exited;
  };
  live.set(pid, { module, stop });

  const describe = (): string => `process ${pid} (${module})`;
  return {
    pid,
    messages,
    exited,
    output: () => output,
    waitFor(predicate, { timeoutMs = 10_000, from = 0 } = {}) {
      return new Promise((resolve, reject) => {
        let next = from;
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          listeners.delete(look);
          settle();
        };
        const fail = (why: string): void =>
          finish(() =>
            reject(new Error(`${describe()} ${why}; ${messages.length} messages came\n${output.trim()}`)),
          );
        const look = (): void => {
          for (; next < messages.length; next++) {
            const message = messages[next] as Received;
            // The overload says what the caller's predicate proves; without a type guard Match is Received.
            if (predicate(message)) return finish(() => resolve(message as never));
          }
          if (exit !== undefined)
            fail(`ended with ${exit.signal ?? `code ${exit.code}`} before the message came`);
        };
        const timer = setTimeout(() => fail(`did not send the message within ${timeoutMs} ms`), timeoutMs);
        listeners.add(look);
        look();
      });
    },
    send(message) {
      return new Promise((resolve, reject) => {
        child.send(message as object, (error) => {
          if (error === null) resolve();
          else reject(new Error(`cannot send to ${describe()}`, { cause: error }));
        });
      });
    },
    async signal(name) {
      if (exit !== undefined) throw new Error(`cannot send ${name}: ${describe()} has ended`);
      await sendSignal(pid, name);
      if (name === 'SIGKILL') await exited;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
