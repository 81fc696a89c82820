/** What the scripts compare, asked of a server directly. */
import type { Redis } from 'ioredis';
import { parseInfo } from './parse-info.ts';

/** Name of the server's replication history: another one after every start of a primary and every promotion. */
export async function serverIdentity(redis: Pick<Redis, 'info'>): Promise<string> {
  return parseInfo(await redis.info('replication')).get('master_replid') ?? '';
}
