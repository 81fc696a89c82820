import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';

/**
 * A new epoch for a named producer, 1 for the first one: from its first append in a partition on, older instances of
 * that name are refused there (`PRODUCER_FENCED`). Repeating a call whose reply was lost skips a number, no more.
 */
export async function producerEpoch(connection: Redis, keys: Keys, producerId: string): Promise<number> {
  return connection.hincrby(keys.producers, producerId, 1);
}
