export { createKeys, DEFAULT_PREFIX, type GroupKeys, type Keys, type PartitionKeys } from './keys.ts';
export { appendGroupEvent, readGroupEvents } from './group/events.ts';
export { onReconnect, onServerChange } from './connection/server-changes.ts';
export { RedisGroupStore } from './group/redis-group-store.ts';
export { RedisPartitionStore } from './partition/redis-partition-store.ts';
export { BatchRecord, decodeBatch, openBatch, recordCount } from './batch/batch-decoder.ts';
export { DecodedBatch, type RecordHeaders } from './batch/decoded-batch.ts';
export { verifyCompression, type Compression, type CompressionSettings } from './batch/batch-compression.ts';
export { BatchBuffers } from './batch/batch-buffers.ts';
export { BatchEncoder, encodeBatch, type BytesInput, type RecordInput } from './batch/batch-encoder.ts';
export {
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  MAX_KEY_BYTES,
  MAX_RECORD_BYTES,
} from './batch/batch-format.ts';
export { type AppendRequest } from './log/append-batch.ts';
export { baseOffsetOf, fingerprintOf } from './log/log-entry.ts';
export { readFingerprints } from './log/read-fingerprints.ts';
export { raiseProducerEpoch, type RaiseProducerEpochResult } from './log/producer-epoch.ts';
export {
  OtherServerError,
  readBatches,
  type EntryReader,
  type ReadAnswer,
  type ReadOptions,
  type ReadPosition,
} from './log/read-batches.ts';
export { openNodeReader, openReader, type ReaderConnection } from './log/reader-connection.ts';
export { type AppendResult } from './log/append-to-log.ts';
export { type Durability } from './log/durability.ts';
export { DurableLog } from './log/durable-log.ts';
export { RedisLog, type LogDescription, type PartitionName } from './log/redis-log.ts';
export { isLaterIncarnation } from './topics/incarnation.ts';
export {
  MAX_PARTITIONS,
  RedisTopicStore,
  type AddPartitionsResult,
  type CreateTopicResult,
  type DeleteTopicResult,
  type TopicDescription,
} from './topics/redis-topic-store.ts';
export {
  parseRedisUrl,
  type ClusterConfig,
  type ConnectionConfig,
  type NodeAddress,
  type SentinelConfig,
  type TlsConfig,
} from './connection/connection-config.ts';
export { MAX_BLOCK_MS, type ConnectionRole } from './connection/connection-options.ts';
export {
  closeCommandConnection,
  isCluster,
  openCommandConnection,
  type ClusterConnection,
  type CommandConnection,
} from './connection/command-connection.ts';
export { isPrimary, noteRefusal, primaryOfSlot } from './connection/cluster-routing.ts';
export { hashSlot } from './connection/hash-slot.ts';
export {
  closeConnection,
  openConnection,
  openNode,
  type RedisConnection,
} from './connection/open-connection.ts';
export { keepSubscribed } from './connection/keep-subscribed.ts';
export { inspectServer, type ServerFacts, type ServerWarning } from './connection/inspect-server.ts';
export { toMillraceError, type Execution } from './connection/to-millrace-error.ts';
export { deleteGroup, type DeleteGroupResult } from './group-admin/delete-group.ts';
export { readGroupOffsets, type GroupOffset } from './group-admin/group-offsets.ts';
export { listGroups, type GroupEntry } from './group-admin/list-groups.ts';
export { readCoordination, type GroupCoordination } from './group-admin/read-coordination.ts';
