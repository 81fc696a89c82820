/**
 * Installs what tests need (redis-server, libfaketime) on a fresh Debian or Ubuntu machine or container, where we are root
 * anyway. Nothing else is touched: a package's service is not started, the version is the distribution's.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findExecutable } from './find-redis-binary.ts';

const run = promisify(execFile);

/** Whether this is Debian or one of its children and this process may install packages. */
export async function canInstallWithApt(path: string): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  if ((await findExecutable('apt-get', path)) === undefined) return false;
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return isDebianFamily(release);
}

export function isDebianFamily(osRelease: string): boolean {
  return /^ID(?:_LIKE)?=.*\b(?:debian|ubuntu)\b/m.test(osRelease);
}

/** How long another apt-get may hold its locks. It waits for one of them by itself, but not for that of the package lists. */
const lockPatienceMs = 120_000;

/** `apt-get update && apt-get install -y <name>`. Rejects with the end of apt's output. */
export async function installWithApt(name: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const env = {
    ...environment,
    DEBIAN_FRONTEND: 'noninteractive',
    RUNLEVEL: '1', // the package starts no service in single-user mode
  };
  const wait = ['-o', `DPkg::Lock::Timeout=${lockPatienceMs / 1_000}`, '-o', 'Acquire::Retries=3'];
  const deadline = performance.now() + lockPatienceMs;
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', name]]) {
    let failure = await runApt([...wait, ...args], env);
    while (failure?.output.includes('Could not get lock') && performance.now() < deadline) {
      await delay(500);
      failure = await runApt([...wait, ...args], env);
    }
    if (failure === undefined) continue;
    const tail = failure.output.trim().split('\n').slice(-5).join('\n');
    throw new Error(`apt-get ${args.join(' ')} failed: ${tail}`, { cause: failure.cause });
  }
}

async function runApt(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly output: string; readonly cause: unknown } | undefined> {
  try {
    await run('apt-get', args, { env, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 });
    return undefined;
  } catch (cause) {
    return { output: cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '', cause };
  }
}
