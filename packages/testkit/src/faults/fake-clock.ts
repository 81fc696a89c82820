/**
 * A wall clock of Redis that tests can set, through libfaketime. Timers of the process that count real time go on as they
 * are (CLOCK_MONOTONIC is not faked); expiry, TIME, stream ids, and the time-outs of blocked clients in Redis 7.0, follow.
 */
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canInstallWithApt, installWithApt } from '../redis/apt-redis.ts';
import { writeLine } from '../redis/provide-binary.ts';
import type { ProvideBinaryOptions } from '../redis/provide-binary.ts';
import { MissingToolError } from './missing-tool-error.ts';

export interface FakeClock extends AsyncDisposable {
  /** Variables for the server whose clock it is; the option `clock` of the starters sets them. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Puts the clock that far from the real one, forward or (negative) back. Servers notice within a second: wait for it with
   * `TIME` where it matters.
   */
  setOffset(offsetMs: number): Promise<void>;
  /** Deletes its file; servers that still run keep their last offset. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Linux only. Installs libfaketime with apt-get on Debian or Ubuntu as root.
 * @throws {MissingToolError} when it is not there and cannot be installed.
 */
export async function createFakeClock(options: ProvideBinaryOptions = {}): Promise<FakeClock> {
  const library = (await findLibrary()) ?? (await installLibrary(options));
  const folder = await mkdtemp(join(tmpdir(), 'millrace-clock-'));
  const file = join(folder, 'offset');
  const setOffset = async (offsetMs: number): Promise<void> => {
    const sign = offsetMs < 0 ? '-' : '+';
    // Renamed into place: a server must never read half a number.
    await writeFile(`${file}.next`, `${sign}${Math.abs(offsetMs) / 1_000}\n`);
    await rename(`${file}.next`, file);
  };
  await setOffset(0);
  return {
    env: {
      // libc before Redis' jemalloc: jemalloc asks for the time while it starts, and libfaketime for memory while it does.
      LD_PRELOAD: `${library} libc.so.6`,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      // Two spellings, of older and newer versions.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
    setOffset,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The variant for programs with threads; Debian puts it under the triplet of the machine. */
async function findLibrary(): Promise<string | undefined> {
  for (const root of ['/usr/lib', '/usr/local/lib', '/usr/lib64']) {
    const names = await readdir(root).catch((): string[] => []);
    for (const folder of [root, ...names.map((name) => join(root, name))]) {
      const library = join(folder, 'faketime', 'libfaketimeMT.so.1');
      const found = await readdir(join(folder, 'faketime')).catch((): string[] => []);
      if (found.includes('libfaketimeMT.so.1')) return library;
    }
  }
  return undefined;
}

async function installLibrary({
  env = process.env,
  notify = writeLine,
}: ProvideBinaryOptions): Promise<string> {
  if (await canInstallWithApt(env['PATH'] ?? '')) {
    notify('installing libfaketime with apt-get');
    await installWithApt('libfaketime', env);
    const library = await findLibrary();
    if (library !== undefined) return library;
  }
  throw new MissingToolError(
    'libfaketime is needed to set the clock of Redis: apt-get install libfaketime (Debian, Ubuntu), dnf install libfaketime (Fedora)',
  );
}
