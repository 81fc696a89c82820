/**
 * Sharded subscriptions that survive reconnects. ioredis' own resubscription loses them when the connection breaks
 * twice in a row, and leaves a rejected promise without a handler behind, which ends the process.
 */
import type { RedisConnection } from './open-connection.ts';

/**
 * Subscribes now, and again whenever the connection becomes ready. Rejects when the first subscription fails; a later
 * failure drops the connection, so that the next one tries again: a subscription that is missing on a healthy
 * connection would go unnoticed. Messages arrive as `smessage` events of the connection.
 *
 * Returns a function that unsubscribes and stops.
 */
export async function keepSubscribed(
  redis: RedisConnection,
  channels: readonly string[],
): Promise<() => Promise<void>> {
  const onReady = (): void => {
    redis.ssubscribe(...channels).catch(() => {
      if (redis.status === 'ready') redis.disconnect(true);
    });
  };
  redis.on('ready', onReady);
  try {
    await redis.ssubscribe(...channels);
  } catch (error) {
    redis.off('ready', onReady);
    throw error;
  }
  return async () => {
    redis.off('ready', onReady);
    if (redis.status === 'ready') await redis.sunsubscribe(...channels);
  };
}
