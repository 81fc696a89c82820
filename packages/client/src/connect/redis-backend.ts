/** The backend that users get: stores on the shared connection, readers and leases on connections of their own. */
import { onServerChange, RedisGroupStore, RedisPartitionStore, RedisTopicStore } from '@millrace/redis';
import { LeaseKeeper } from '../lease/lease-keeper.ts';
import type { Backend } from './backend.ts';
import { connectionName, type ClientContext } from './client-context.ts';
import { RedisLogReader } from './redis-log-reader.ts';

export function createRedisBackend(context: Omit<ClientContext, 'backend'>): Backend {
  const { command, keys, clock, config, prefix } = context;
  return {
    partitions: new RedisPartitionStore(command, keys),
    topics: new RedisTopicStore(command, keys),
    groupStore: (group) => new RedisGroupStore(command, keys, group, clock),
    async openReader() {
      const reader = new RedisLogReader(context);
      await reader.open();
      return reader;
    },
    openLease: (settings, listener) =>
      LeaseKeeper.open(
        { ...settings, connection: config, connectionName: connectionName(context, 'lease'), prefix },
        clock,
        listener,
      ),
    onReconnect(run) {
      command.on('ready', run);
      return () => void command.off('ready', run);
    },
    onServerChange: (run) => onServerChange(command, run),
  };
}
