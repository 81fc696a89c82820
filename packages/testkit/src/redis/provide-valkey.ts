/**
 * A Valkey server binary: for what Redis 7.0 has not (WAITAOF), and to see that nothing depends on the vendor. Debian
 * bookworm has it in its backports only, which few machines have enabled, so the packages are fetched with an apt-get
 * that has lists of its own (signatures checked) and unpacked beside, not installed: no service, no right of root.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MissingToolError } from '../faults/missing-tool-error.ts';
import { findExecutable } from './find-redis-binary.ts';
import { writeLine } from './provide-binary.ts';
import type { ProvideBinaryOptions } from './provide-binary.ts';

const run = promisify(execFile);
const packages = ['valkey-server', 'valkey-tools'];

/**
 * The path of a `valkey-server` for the option `binary` of the starters: that on the PATH, or one fetched from Debian and
 * kept in the user's cache folder (`XDG_CACHE_HOME`).
 * @throws {MissingToolError} where it is neither there nor to be had.
 */
export async function provideValkey({
  env = process.env,
  notify = writeLine,
}: ProvideBinaryOptions = {}): Promise<string> {
  const path = env['PATH'] ?? '';
  const present = await findExecutable('valkey-server', path);
  if (present !== undefined) return present;

  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(osRelease)?.[1];
  const isDebian = /^ID=debian$/m.test(osRelease) && codename !== undefined;
  const hasTools =
    (await findExecutable('apt-get', path)) !== undefined &&
    (await findExecutable('dpkg', path)) !== undefined;
  if (!isDebian || !hasTools)
    throw new MissingToolError('no valkey-server on the PATH: install Valkey 7.2 or newer');

  const cache = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace-testkit');
  const home = join(cache, `valkey-${codename}-${process.arch}`);
  const binary = join(home, 'usr/bin/valkey-server');
  if (!(await exists(binary))) {
    notify('fetching valkey-server from the backports of Debian (it is not installed)');
    await mkdir(cache, { recursive: true });
    await unpackFromBackports(codename, cache, home, env);
  }
  return binary;
}

async function unpackFromBackports(
  codename: string,
  cache: string,
  home: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const work = await mkdtemp(join(cache, 'fetch-'));
  try {
    const apt = await ownAptOptions(work, codename);
    const settings = { cwd: work, env, timeout: 120_000 };
    await run('apt-get', [...apt, 'update'], settings);
    await run('apt-get', [...apt, 'download', ...packages], settings);
    await run('sh', ['-c', 'for deb in *.deb; do dpkg -x "$deb" unpacked || exit; done'], settings);
    await run(join(work, 'unpacked/usr/bin/valkey-server'), ['--version'], settings); // all its libraries are here
    // In one step: another process that fetches it too finds all of it or nothing.
    await rename(join(work, 'unpacked'), home).catch(async (error: unknown) => {
      if (!(await exists(join(home, 'usr/bin/valkey-server')))) throw error;
    });
  } catch (cause) {
    const reason = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
    throw new MissingToolError(`no valkey-server on the PATH, and Debian's could not be fetched: ${reason}`, {
      cause,
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** An apt-get that leaves the machine's sources, lists and locks alone. */
async function ownAptOptions(work: string, codename: string): Promise<string[]> {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const source = `deb [signed-by=${keyring}] http://deb.debian.org/debian ${codename}-backports main\n`;
  for (const folder of ['parts', 'lists/partial', 'cache/archives/partial'])
    await mkdir(join(work, folder), { recursive: true });
  await writeFile(join(work, 'sources.list'), source);
  return [
    ['Dir::Etc::SourceList', join(work, 'sources.list')],
    ['Dir::Etc::SourceParts', join(work, 'parts')],
    ['Dir::State::Lists', join(work, 'lists')],
    ['Dir::Cache', join(work, 'cache')],
    // Root's apt would hand the download to a user who may not write here.
    ['APT::Sandbox::User', ''],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
