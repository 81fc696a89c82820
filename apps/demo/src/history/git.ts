/**
 * Runs the `git` program. Plumbing commands only, and with what could bend their answers taken away: variables that
 * point at another repository, localized messages, prompts. The folder is given with `-C` and not as the working
 * directory, so that a missing folder is git's error and is not mistaken for a missing git.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';

/** What `git rev-parse --local-env-vars` lists; a git hook or an alias that starts the demo would hand them down. */
const REPOSITORY_VARIABLES = [
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_CONFIG',
  'GIT_CONFIG_PARAMETERS',
  'GIT_CONFIG_COUNT',
  'GIT_OBJECT_DIRECTORY',
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_GRAFT_FILE',
  'GIT_INDEX_FILE',
  'GIT_NO_REPLACE_OBJECTS',
  'GIT_REPLACE_REF_BASE',
  'GIT_PREFIX',
  'GIT_SHALLOW_FILE',
  'GIT_COMMON_DIR',
  'GIT_INTERNAL_SUPER_PREFIX',
] as const;

/** Git could not be run, or ended with an error. The message carries what git said. */
export class GitError extends Error {
  /** Null when git was not found or was ended by a signal. */
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GitError';
    this.exitCode = exitCode;
  }
}

export interface GitProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when git has ended; rejects with `GitError` unless it ended well or was stopped. */
  readonly finished: Promise<void>;
  /** Ends git where it is. `finished` then resolves: whoever stops it knows why. */
  stop(): void;
}

/** Starts `git -C directory …args` with its input and output as streams. */
export function startGit(directory: string, args: readonly string[]): GitProcess {
  const child = spawn('git', ['-C', directory, ...args], {
    env: gitEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A git that ends early closes its input; its exit code says why, the broken pipe does not.
  child.stdin.on('error', () => {});
  let stopped = false;
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    finished: waitForEnd(child, args[0] ?? '', () => stopped),
    stop: () => {
      stopped = true;
      child.stdout.destroy();
      child.kill();
    },
  };
}

/** Runs git to its end and returns its whole output. For small answers only. */
export async function runGit(directory: string, args: readonly string[], input = ''): Promise<Buffer> {
  const git = startGit(directory, args);
  git.stdin.end(input);
  const [output] = await Promise.all([buffer(git.stdout), git.finished]);
  return output;
}

async function waitForEnd(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  command: string,
  isStopped: () => boolean,
): Promise<void> {
  const complaint = text(child.stderr);
  let code: number | null;
  let signal: NodeJS.Signals | null;
  try {
    [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new GitError(
      missing ? 'git was not found on the PATH: install git' : `git could not be started`,
      null,
      {
        cause: error,
      },
    );
  }
  if (code === 0 || isStopped()) return;
  const reason = (await complaint).trim().replace(/^fatal: /, '');
  throw new GitError(`git ${command} ended with ${code ?? signal}: ${reason || 'no reason given'}`, code);
}

function gitEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
  };
  for (const name of REPOSITORY_VARIABLES) delete env[name];
  return env;
}
