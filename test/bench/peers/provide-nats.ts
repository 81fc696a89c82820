/**
 * A `nats-server` binary: that on the PATH, or the distribution's, fetched by apt-get (signatures checked) and unpacked
 * into the user's cache folder. Not installed: no service, no right of root.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type NatsBinary =
  | { readonly status: 'found'; readonly path: string; readonly version: string }
  | { readonly status: 'missing'; readonly why: string };

export async function provideNats(env: NodeJS.ProcessEnv = process.env): Promise<NatsBinary> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, 'nats-server'))))
      return found(join(folder, 'nats-server'));
  }
  const cache = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace-bench');
  const home = join(cache, `nats-${process.arch}`);
  const binary = join(home, 'usr/sbin/nats-server');
  if (await isExecutable(binary)) return found(binary);
  try {
    await unpack(cache, home, env);
    return await found(binary);
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    const last = output.split('\n').at(-1) ?? '';
    return {
      status: 'missing',
      why: `no nats-server on the PATH, and apt-get could not fetch Debian's: ${last}`,
    };
  }
}

async function unpack(cache: string, home: string, env: NodeJS.ProcessEnv): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'fetch-'));
  const settings = { cwd: work, env, timeout: 120_000 };
  const download = (): Promise<unknown> =>
    run('apt-get', ['-o', 'APT::Sandbox::User=', 'download', 'nats-server'], settings);
  try {
    // A fresh container has no package lists; only root may fetch them.
    await download().catch(async () => {
      await run('apt-get', ['update'], settings);
      await download();
    });
    await run('sh', ['-c', 'dpkg -x nats-server_*.deb unpacked'], settings);
    await run(join(work, 'unpacked/usr/sbin/nats-server'), ['--version'], settings);
    // In one step: another run that fetches it too finds all of it or nothing.
    await rename(join(work, 'unpacked'), home).catch(async (error: unknown) => {
      if (!(await isExecutable(join(home, 'usr/sbin/nats-server')))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function found(path: string): Promise<NatsBinary> {
  const { stdout } = await run(path, ['--version'], { timeout: 5_000 });
  return { status: 'found', path, version: /v([\d.]+)/.exec(stdout)?.[1] ?? 'unknown' };
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
