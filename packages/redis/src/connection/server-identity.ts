/** What the scripts compare, asked of a server directly. */
import type { Redis } from 'ioredis';

/** Name of the server's replication history: another one after every start of a primary and every promotion. */
export async function serverIdentity(redis: Pick<Redis, 'info'>): Promise<string> {
  // Asked with every read: not the whole reply is parsed for one field.
  return /^master_replid:([^\r\n]*)/m.exec(await redis.info('replication'))?.[1] ?? '';
}
