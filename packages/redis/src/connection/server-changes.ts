/**
 * Notices that a connection is back, and that the server behind it has become another one. After a restart or a failover
 * it may hold less than it did, and XREAD says nothing of it: a reader that stands beyond the new end waits, and then
 * skips what was written anew at the offsets that it has seen (Kafka's KIP-320 is about the same).
 */
import type { Redis } from 'ioredis';
import { ClusterServers } from './cluster-servers.ts';
import { isCluster, type CommandConnection } from './command-connection.ts';
import { hashSlot } from './hash-slot.ts';
import { serverIdentity } from './server-identity.ts';

/**
 * Calls `run` whenever commands can be sent again after they could not. In a cluster that is said of each node; with
 * `key`, only of the one that serves it. Returns a function that stops it.
 */
export function onReconnect(connection: CommandConnection, run: () => void, key?: string): () => void {
  if (isCluster(connection)) {
    const slot = key === undefined ? null : hashSlot(key);
    return ClusterServers.of(connection).onChange(({ reconnected }) => {
      if (slot === null || reconnected.has(slot)) run();
    });
  }
  connection.on('ready', run);
  return () => void connection.off('ready', run);
}

/**
 * Calls `onChanged` after a reconnect that found another server, with a function that tells whether it serves a
 * key. Asks once now, and rejects when that fails; on a reconnect a failure drops the connection, so that the next one
 * asks again. Returns a function that stops it.
 */
export async function onServerChange(
  connection: CommandConnection,
  onChanged: (isAffected: (key: string) => boolean) => void,
): Promise<() => void> {
  if (!isCluster(connection)) return onOneServerChange(connection, () => onChanged(() => true));
  const servers = ClusterServers.of(connection);
  await servers.look();
  return servers.onChange(({ otherServer }) => {
    if (otherServer.size > 0) onChanged((key) => otherServer.has(hashSlot(key)));
  });
}

async function onOneServerChange(redis: Redis, onChanged: () => void): Promise<() => void> {
  let known = await serverIdentity(redis);
  const onReady = (): void => {
    serverIdentity(redis).then(
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
