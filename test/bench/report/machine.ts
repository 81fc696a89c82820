/** What the figures were measured on, without names of hosts or folders. */
import { cpus, release, totalmem, type } from 'node:os';
import type { Redis } from 'ioredis';
import type { Machine } from './result.ts';

export async function describeMachine(redis: Redis): Promise<Machine> {
  const info = await redis.info('server');
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release().split('-')[0]}`,
    node: process.versions.node,
    redis: valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`,
  };
}
