/** What is said when a machine has no Redis and none can be put there. */
import { readFile } from 'node:fs/promises';
import { installHint } from './install-hint.ts';

/** No Redis can be had on this machine without the person's help; the message holds the command that gets one. */
export class NoRedisError extends Error {
  override readonly name = 'NoRedisError';
  readonly code = 'NO_REDIS';
  readonly retryable = false;
}

/** `tried`: one reason for each way that did not lead to a Redis. */
export async function noRedisError(tried: readonly string[]): Promise<NoRedisError> {
  const osRelease =
    process.platform === 'linux' ? await readFile('/etc/os-release', 'utf8').catch(() => '') : '';
  return new NoRedisError(
    `No Redis to run on: ${tried.join('; ')}.\nInstall one with: ${installHint(process.platform, osRelease)}`,
  );
}
