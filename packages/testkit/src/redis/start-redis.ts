/**
 * Decides where a Redis comes from. The order is a promise of the README: what the person named, what the machine has,
 * Docker, the package manager where we may use it, and otherwise one command to type.
 */
import { dockerAnswers, startDockerRedis } from './docker-redis.ts';
import { startEmbeddedRedis } from './embedded-redis.ts';
import { findRedisBinary } from './find-redis-binary.ts';
import { noRedisError } from './no-redis-error.ts';
import { installRedisBinary, writeLine } from './provide-binary.ts';
import type { RedisServer, StartRedisOptions } from './redis-server.ts';
import { useRedisUrl } from './redis-url.ts';

export interface ProvideRedisOptions extends StartRedisOptions {
  /** Default `process.env`. `REDIS_URL`, `PATH` and `DOCKER_HOST` are read. */
  readonly env?: NodeJS.ProcessEnv;
  /** Told, in one line, what takes long: an installation, an image. Default: written to stderr. */
  readonly notify?: (line: string) => void;
}

/**
 * The Redis for a run of tests or a demo: `REDIS_URL`; else a private one, as `startRedis` makes it. Options other than
 * `env` and `notify` do not apply to a Redis given by `REDIS_URL`.
 * @throws {NoRedisError} when there is none and none can be installed.
 */
export async function provideRedis(options: ProvideRedisOptions = {}): Promise<RedisServer> {
  const url = (options.env ?? process.env)['REDIS_URL'];
  return url === undefined || url === '' ? startRedis(options) : useRedisUrl(url);
}

/**
 * A private Redis, whatever `REDIS_URL` says: for a test that signals, restarts or configures its server. From
 * `redis-server` or `valkey-server` on the PATH; else Docker; else, on Debian or Ubuntu as root, after
 * `apt-get install redis-server`.
 * @throws {NoRedisError} when there is none and none can be installed.
 */
export async function startRedis(options: ProvideRedisOptions = {}): Promise<RedisServer> {
  const env = options.env ?? process.env;
  const notify = options.notify ?? writeLine;
  const path = env['PATH'] ?? '';
  const tried = [
    env['REDIS_URL'] ? 'a private one is needed, not that of REDIS_URL' : 'REDIS_URL is not set',
  ];

  const present = await findRedisBinary(path);
  if (present.status === 'found') return startEmbeddedRedis(present.path, options);
  tried.push(present.why);

  if (await dockerAnswers(env)) {
    notify(`${present.why}: starting Redis with Docker (the first time, its image is pulled)`);
    try {
      return await startDockerRedis(options);
    } catch (error) {
      tried.push(`Docker answers but could not start Redis: ${messageOf(error)}`);
    }
  } else {
    tried.push('no Docker daemon answers');
  }

  const installed = await installRedisBinary(present.why, { env, notify });
  if (installed.status === 'found') return startEmbeddedRedis(installed.path, options);
  if (installed.why !== '') tried.push(installed.why);
  throw await noRedisError(tried);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
