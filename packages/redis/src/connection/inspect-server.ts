/**
 * What a server is, and what in its configuration would lose records. Asked once, at connect; of a cluster every primary
 * is asked.
 */
import type { Redis } from 'ioredis';
import { ConfigError, UnavailableError } from '@millrace/core';
import { isCluster, type CommandConnection } from './command-connection.ts';
import { parseInfo } from './parse-info.ts';
import { toMillraceError } from './to-millrace-error.ts';

export interface ServerWarning {
  /** Name of the Redis setting. */
  readonly setting: 'appendonly' | 'maxmemory-policy';
  readonly value: string;
  readonly message: string;
}

export interface ServerFacts {
  /** Of a cluster, that of one of its primaries. */
  readonly version: string;
  readonly warnings: readonly ServerWarning[];
}

const OLDEST_MAJOR = 7;

/**
 * Throws `REDIS_TOO_OLD` below Redis 7.0 (scripts with flags, sharded pub/sub), `INVALID_OPTION` for a Sentinel or a
 * Cluster node that was given by `url`, `REDIS_REFUSED` for a replica, `PERMISSION_DENIED` where INFO is not allowed.
 */
export async function inspectServer(connection: CommandConnection): Promise<ServerFacts> {
  if (!isCluster(connection)) return inspectOne(connection, 'standalone');
  const all = await Promise.all(connection.nodes('master').map((node) => inspectOne(node, 'cluster')));
  const warnings = new Map(
    all.flatMap((facts) => facts.warnings).map((warning) => [warning.setting, warning]),
  );
  return { version: all[0]?.version ?? '', warnings: [...warnings.values()] };
}

type Mode = 'standalone' | 'cluster';

async function inspectOne(redis: Pick<Redis, 'info' | 'config'>, expected: Mode): Promise<ServerFacts> {
  let info: ReadonlyMap<string, string>;
  try {
    info = parseInfo(await redis.info());
  } catch (error) {
    throw toMillraceError(error, 'asking the server for its version (INFO)');
  }
  const version = info.get('redis_version') ?? '';
  verifyVersion(version);
  verifyMode(info.get('redis_mode') ?? 'standalone', expected);
  if (info.get('role') === 'slave') {
    throw new UnavailableError(
      'REDIS_REFUSED',
      'this Redis server is a replica and refuses writes: connect to its primary',
    );
  }
  const warnings = findWarnings(info, await snapshotSchedule(redis));
  return { version, warnings };
}

/** Valkey and other forks report the Redis version that they are compatible with. */
export function verifyVersion(version: string): void {
  const major = /^(\d+)\.\d+/.exec(version)?.[1];
  if (major === undefined || Number(major) < OLDEST_MAJOR) {
    throw new ConfigError(
      'REDIS_TOO_OLD',
      `Redis ${version || 'of unknown version'} is too old: Millrace needs ${OLDEST_MAJOR}.0 or newer`,
      {
        details: { version },
      },
    );
  }
}

function verifyMode(mode: string, expected: Mode): void {
  if (mode === expected) return;
  const [what, instead] =
    mode === 'cluster'
      ? ['a node of a Redis Cluster', 'use connect({ cluster: { seeds: [url] } })']
      : mode === 'sentinel'
        ? ['a Sentinel', 'use connect({ sentinel: { name, sentinels: [{ host, port }] } })']
        : [`in mode "${mode}"`, 'use the URL of a Redis server'];
  throw new ConfigError('INVALID_OPTION', `the server behind the URL is ${what}: ${instead}`);
}

/** `save` of the configuration: empty when snapshots are off, undefined where CONFIG is not allowed (managed services). */
async function snapshotSchedule(redis: Pick<Redis, 'config'>): Promise<string | undefined> {
  try {
    const reply = await redis.config('GET', 'save');
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined;
  } catch {
    return undefined;
  }
}

/** `snapshots` is the `save` setting, undefined when it could not be read. */
export function findWarnings(
  info: ReadonlyMap<string, string>,
  snapshots: string | undefined,
): readonly ServerWarning[] {
  const warnings: ServerWarning[] = [];
  if (info.get('aof_enabled') === '0') {
    const consequence =
      snapshots === ''
        ? 'nothing is persisted (snapshots are off too): a restart of Redis loses every record and offset'
        : 'a crash of Redis loses every record and offset since its last snapshot';
    warnings.push({
      setting: 'appendonly',
      value: 'no',
      message: `Redis runs with "appendonly no": ${consequence}; set "appendonly yes"`,
    });
  }
  const policy = info.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    warnings.push({
      setting: 'maxmemory-policy',
      value: policy,
      message: `Redis runs with "maxmemory-policy ${policy}": when memory is full it deletes records and offsets; set "maxmemory-policy noeviction"`,
    });
  }
  return warnings;
}
