export { Consumer } from './consumer.ts';
export type { TopicPartition, TopicPartitionOffset } from './offset-control.ts';
export type {
  AssignedEvent,
  AssignedPartition,
  ConsumerEventName,
  ConsumerEvents,
  LostEvent,
  LostReason,
  OwnedPartition,
  RebalancedEvent,
  RecordsTrimmedEvent,
  RevokedEvent,
} from './consumer-events.ts';
export type { ConsumerRecord } from './consumer-record.ts';
export type { EachBatch, EachRecord, Handlers, RecordBatch } from './handlers.ts';
export type { ConsumerOptions } from './options.ts';
