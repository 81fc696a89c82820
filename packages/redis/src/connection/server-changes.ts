/**
 * Notices that the server behind a connection has become another one. After a restart or a failover it may hold less
 * than it did, and XREAD says nothing of it: a reader that stands beyond the new end waits, and then skips what was
 * written anew at the offsets that it has seen (Kafka's KIP-320 is about the same).
 */
import { parseInfo } from './inspect-server.ts';
import type { RedisConnection } from './open-connection.ts';

/**
 * Calls `onChanged` after a reconnect that found another server process. Asks once now, and rejects when that fails; on
 * a reconnect a failure drops the connection, so that the next one asks again. Returns a function that stops it.
 */
export async function onServerChange(redis: RedisConnection, onChanged: () => void): Promise<() => void> {
  let known = await runId(redis);
  const onReady = (): void => {
    runId(redis).then(
      (present) => {
        if (present === known) return;
        known = present;
        onChanged();
      },
      () => {
        if (redis.status === 'ready') redis.disconnect(true);
      },
    );
  };
  redis.on('ready', onReady);
  return () => void redis.off('ready', onReady);
}

async function runId(redis: RedisConnection): Promise<string> {
  return parseInfo(await redis.info('server')).get('run_id') ?? '';
}
