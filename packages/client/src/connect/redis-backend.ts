/** The backend that users get: stores on the shared connection, readers and leases on connections of their own. */
import { parsePartitionKey, type PartitionKey } from '@millrace/core';
import {
  isCluster,
  onReconnect,
  onServerChange,
  RedisGroupStore,
  RedisPartitionStore,
  RedisTopicStore,
} from '@millrace/redis';
import { LeaseKeeper } from '../lease/lease-keeper.ts';
import type { Backend, LogReader } from './backend.ts';
import { connectionName, type ClientContext } from './client-context.ts';
import { ClusterLogReader } from './cluster-log-reader.ts';
import { RedisLogReader } from './redis-log-reader.ts';

export function createRedisBackend(context: Omit<ClientContext, 'backend'>): Backend {
  const { command, keys, clock, config, prefix } = context;
  return {
    partitions: new RedisPartitionStore(command, keys),
    topics: new RedisTopicStore(command, keys),
    groupStore: (group) => new RedisGroupStore(command, keys, group, clock),
    openReader: () => openReader(context),
    openLease: (settings, listener) =>
      LeaseKeeper.open(
        { ...settings, connection: config, connectionName: connectionName(context, 'lease'), prefix },
        clock,
        listener,
      ),
    onReconnect: (run, group) => onReconnect(command, run, keys.group(group).state),
    onServerChange: (run) =>
      onServerChange(command, (isKeyAffected) => run((partition) => isKeyAffected(logKey(partition)))),
  };

  function logKey(key: PartitionKey): string {
    const { topic, partition } = parsePartitionKey(key);
    return keys.partition(topic, partition).log;
  }
}

async function openReader(context: Omit<ClientContext, 'backend'>): Promise<LogReader> {
  const { config, command } = context;
  if (config.kind === 'cluster' && isCluster(command))
    return new ClusterLogReader({ ...context, config, command });
  return RedisLogReader.open(context);
}
