/** A server binary on this machine: the one that is there, or the distribution's, installed where we may. */
import { canInstallWithApt, installWithApt } from './apt-redis.ts';
import { findRedisBinary } from './find-redis-binary.ts';
import type { BinarySearch } from './find-redis-binary.ts';
import { noRedisError } from './no-redis-error.ts';

export interface ProvideBinaryOptions {
  /** Default `process.env`; `PATH` is read. */
  readonly env?: NodeJS.ProcessEnv;
  /** Told, in one line, that something is installed. Default: written to stderr. */
  readonly notify?: (line: string) => void;
}

/** @throws {NoRedisError} when there is none and none can be installed. */
export async function provideRedisBinary(options: ProvideBinaryOptions = {}): Promise<string> {
  const present = await findRedisBinary((options.env ?? process.env)['PATH'] ?? '');
  if (present.status === 'found') return present.path;
  const installed = await installRedisBinary(present.why, options);
  if (installed.status === 'found') return installed.path;
  throw await noRedisError([present.why, installed.why].filter((why) => why !== ''));
}

/** `missing` with an empty reason where nothing can be installed; otherwise the reason says what went wrong. */
export async function installRedisBinary(
  reason: string,
  { env = process.env, notify = writeLine }: ProvideBinaryOptions,
): Promise<BinarySearch> {
  const path = env['PATH'] ?? '';
  if (!(await canInstallWithApt(path))) return { status: 'missing', why: '' };
  notify(`${reason}: installing redis-server with apt-get (its service is not started)`);
  try {
    await installWithApt('redis-server', env);
  } catch (error) {
    return { status: 'missing', why: error instanceof Error ? error.message : String(error) };
  }
  const installed = await findRedisBinary(path);
  if (installed.status === 'found') return installed;
  return { status: 'missing', why: `after the installation, ${installed.why}` };
}

export function writeLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
