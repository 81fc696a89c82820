/** A real Redis for tests, processes to crash, and waiting without sleeping. The vitest fixture is in `./vitest`. */
export { eventually } from './eventually.ts';
export type { EventuallyOptions } from './eventually.ts';
export type { RedisServer, RedisSource, StartRedisOptions } from './redis/redis-server.ts';
export { NoRedisError } from './redis/no-redis-error.ts';
export { provideRedis, startRedis } from './redis/start-redis.ts';
export type { ProvideRedisOptions } from './redis/start-redis.ts';
export { startProcess } from './process/start-process.ts';
export type {
  ProcessExit,
  StartedProcess,
  StartProcessOptions,
  WaitForOptions,
} from './process/start-process.ts';
export { deleteKeys, findLeaks } from './leaks.ts';
export type { LeakScope } from './leaks.ts';
export { VirtualClock } from './virtual-clock.ts';
export type {
  AckClass,
  EventStamp,
  FactEvent,
  FactFields,
  FactName,
  FailureEvent,
  HistoryEvent,
  HistoryFacts,
  HistoryOperations,
  InvokeEvent,
  InvokeFields,
  MayLose,
  OkEvent,
  OkFields,
  OperationName,
} from './history/history-event.ts';
export { HistoryWriter, openHistory } from './history/history-writer.ts';
export type { HistoryFile, HistoryWriterOptions, OpenHistoryOptions } from './history/history-writer.ts';
export { mergeHistories, parseHistory, readHistories } from './history/read-histories.ts';
export { startSingle } from './topology/start-single.ts';
export type { SingleConnection, SingleTopology, StartSingleOptions } from './topology/start-single.ts';
export { startSentinel } from './topology/start-sentinel.ts';
export type {
  SentinelConnection,
  SentinelTopology,
  StartSentinelOptions,
} from './topology/start-sentinel.ts';
export { startCluster } from './topology/start-cluster.ts';
export type { StartClusterOptions } from './topology/start-cluster.ts';
export type { ClusterConnection, ClusterFailoverMode, ClusterTopology } from './topology/cluster-topology.ts';
export type { MigrateSlotOptions } from './topology/migrate-slot.ts';
export type { RedisNode, RedisRole } from './topology/redis-node.ts';
export type { Topology, TopologyOptions } from './topology/topology.ts';
export { startFaultProxy } from './proxy/fault-proxy.ts';
export type { FaultProxy, StartFaultProxyOptions } from './proxy/fault-proxy.ts';
export type { ProxiedCommand } from './proxy/proxied-command.ts';
export type {
  AppliedFault,
  DroppedReplies,
  DropReplyRule,
  ProxyConnection,
  ProxyCounts,
  ProxyDirection,
  ProxyLink,
  ProxyMode,
  ProxySelection,
} from './proxy/proxy-fault.ts';
export { ANOMALY_NAMES } from './history/anomaly.ts';
export type { Anomaly, AnomalyName } from './history/anomaly.ts';
export { checkHistory } from './history/check-history.ts';
export type { HistoryVerdict } from './history/check-history.ts';
export type { CheckOptions, GroupRules } from './history/check-options.ts';
export { createFakeClock } from './faults/fake-clock.ts';
export type { FakeClock } from './faults/fake-clock.ts';
export { killWithLoss } from './faults/kill-with-loss.ts';
export { MissingToolError } from './faults/missing-tool-error.ts';
export { markAof, truncateAof } from './faults/truncate-aof.ts';
export type { ProvideBinaryOptions } from './redis/provide-binary.ts';
export { provideValkey } from './redis/provide-valkey.ts';
export { startDockerCluster } from './topology/start-docker-cluster.ts';
export type { DockerCluster, StartDockerClusterOptions } from './topology/start-docker-cluster.ts';
