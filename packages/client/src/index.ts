export { connect, type Millrace } from './connect/millrace.ts';
export type { ConnectOptions } from './connect/connect-options.ts';
export type { ClusterOptions, SentinelOptions } from './connect/connect-target.ts';
export type { Logger } from './logging/logger.ts';
export type { BatchMetadata, Producer, ProducerRecord, RecordMetadata } from './producer/producer.ts';
export type { Acks } from './producer/acks.ts';
export type {
  ConsumerLogTruncatedEvent,
  ProducerLogTruncatedEvent,
  TruncationPolicy,
} from './truncation/log-truncated.ts';
export type { ProducerOptions } from './producer/producer-options.ts';
export type { Compression } from '@millrace/redis';
export type {
  Admin,
  CreateTopicOptions,
  GroupDetails,
  GroupEventsOptions,
  GroupInfo,
  GroupMemberDetails,
  GroupPartitionDetails,
  TopicDetails,
  TopicInfo,
  TopicPartitionDetails,
} from './admin/admin.ts';
export type { TopicLimits } from '@millrace/core';
export { bytes, json, string, type Codec, type StoredValue } from './topic/codec.ts';
export {
  topic,
  type AnyTopicDefinition,
  type KeyOf,
  type PlainValue,
  type TopicDefinition,
  type TopicSelector,
  type ValueOf,
} from './topic/topic-definition.ts';
export { ValidationError } from './topic/schema-codec.ts';
export {
  Consumer,
  type AssignedEvent,
  type AssignedPartition,
  type ConsumerEventName,
  type ConsumerEvents,
  type ConsumerOptions,
  type ConsumerRecord,
  type EachBatch,
  type EachRecord,
  type Handlers,
  type LostEvent,
  type LostReason,
  type OwnedPartition,
  type RebalancedEvent,
  type RecordsTrimmedEvent,
  type RecordBatch,
  type RevokedEvent,
  type TopicPartition,
  type TopicPartitionOffset,
} from './consumer/index.ts';
export {
  assignmentFromMembers,
  ClosedError,
  ConfigError,
  createStickyAssignor,
  DataError,
  emptyAssignment,
  FencedError,
  HandlerError,
  MillraceError,
  partitionsOf,
  rangeAssignor,
  roundRobinAssignor,
  stickyAssignor,
  UnavailableError,
  type Assignment,
  type AssignmentInput,
  type AssignmentMember,
  type Assignor,
  type ErrorCode,
  type GroupEvent,
} from '@millrace/core';
