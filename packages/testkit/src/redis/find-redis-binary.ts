/**
 * Finds a server binary on the PATH that is new enough. Older ones are reported, not used: a test run that fails in a
 * hundred places because `redis-server` is version 6 helps nobody.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Scripts with `#!lua` flags and sharded pub/sub came with 7.0; every Valkey has them. */
const oldestMajor = 7;

export type BinarySearch =
  | { readonly status: 'found'; readonly path: string }
  | { readonly status: 'missing'; readonly why: string };

export async function findRedisBinary(path: string): Promise<BinarySearch> {
  let why = 'no redis-server or valkey-server on the PATH';
  for (const name of ['redis-server', 'valkey-server']) {
    const binary = await findExecutable(name, path);
    if (binary === undefined) continue;
    const version = await readVersion(binary);
    if (version !== undefined && version.major >= oldestMajor) return { status: 'found', path: binary };
    why = `${binary} is version ${version?.text ?? 'unknown'}, ${oldestMajor}.0 or newer is needed`;
  }
  return { status: 'missing', why };
}

/** The full path of the first executable of that name in `path`, a list as in the variable PATH. */
export async function findExecutable(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    const candidate = join(folder, name);
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return candidate;
  }
  return undefined;
}

async function readVersion(binary: string): Promise<{ major: number; text: string } | undefined> {
  const { stdout } = await run(binary, ['--version'], { timeout: 5_000 }).catch(() => ({ stdout: '' }));
  const match = /\bv=((\d+)\.[\d.]+)/.exec(stdout);
  return match?.[1] === undefined ? undefined : { major: Number(match[2]), text: match[1] };
}
