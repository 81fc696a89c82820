/** What users send with. The behaviour behind it is in idempotent-producer.ts; options in producer-options.ts. */
import type { PlainValue, TopicDefinition } from '../topic/topic-definition.ts';
import type { ProducerLogTruncatedEvent } from '../truncation/log-truncated.ts';

/** What is sent. Bytes are read when there is room for them: leave them unchanged until the promise is settled. */
export interface ProducerRecord<V> {
  /** Records of one key keep their order. Text is stored as UTF-8. Default: what the topic's `key` says, else none. */
  readonly key?: string | Uint8Array | null | undefined;
  /** `null` is a tombstone: the key is to be forgotten. */
  readonly value: V | null;
  readonly headers?: Readonly<Record<string, string | Uint8Array>> | undefined;
  /** Milliseconds since 1970. Default: now, by this machine's clock. */
  readonly timestampMs?: number | undefined;
  /** Overrides key and partitioner. */
  readonly partition?: number | undefined;
}

export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Clock of the Redis server, milliseconds since 1970. */
  readonly appendedMs: number;
}

/** Records of one call that lie side by side in a partition. */
export interface BatchMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly count: number;
  readonly appendedMs: number;
}

/**
 * Sends records, each stored exactly once however often the connection breaks, in the order of the calls within a
 * partition. Concurrent sends share batches by themselves; a lone one goes out at once.
 *
 * Rejections of `send` and `sendBatch`:
 * - ConfigError: `INVALID_RECORD`, `RECORD_TOO_LARGE`, `UNKNOWN_TOPIC`, `UNKNOWN_PARTITION`, `INVALID_NAME`,
 *   `PERMISSION_DENIED`. Nothing was stored.
 * - UnavailableError `BUFFER_FULL`: Redis did not keep up for `maxBlockMs`. `REDIS_UNREACHABLE` and the like: the topic
 *   could not be looked up for as long. `DELIVERY_TIMED_OUT`: its batch was not acknowledged within `deliveryTimeoutMs`;
 *   `details.outcome` says `unknown` (it may have been stored) or `not-written`. `NOT_REPLICATED`, `NOT_FSYNCED`: stored,
 *   and for as long not known to be on as many replicas or disks as `acks` asks for.
 * - ConfigError `REDIS_TOO_OLD`, `INVALID_OPTION`: the server cannot do what `acks` asks for. Nothing was stored.
 * - FencedError `PRODUCER_FENCED`: a newer producer with this `producerId` is at work; close this one.
 * - DataError `LOG_TRUNCATED`: the log lost records that were acknowledged to this producer, and nobody listens to
 *   `logTruncated`, or `onLogTruncated` is `fail`; `FOREIGN_ENTRY`.
 * - ClosedError.
 */
export interface Producer extends AsyncDisposable {
  /**
   * `logTruncated`: records that were acknowledged to this producer are gone from the log. Told when an acknowledgement
   * comes from another server, and when Redis has become another one while nothing was sent.
   */
  on(event: 'logTruncated', listener: (event: ProducerLogTruncatedEvent) => void): this;
  off(event: 'logTruncated', listener: (event: ProducerLogTruncatedEvent) => void): this;
  send<Input>(
    topic: TopicDefinition<unknown, Input>,
    record: ProducerRecord<NoInfer<Input>>,
  ): Promise<RecordMetadata>;
  send(topic: string, record: ProducerRecord<PlainValue>): Promise<RecordMetadata>;
  /**
   * Sends many records for one promise. If any of them is invalid, none is sent; apart from that each partition's
   * part succeeds or fails for itself, and the call rejects with the first failure after all are settled.
   */
  sendBatch<Input>(
    topic: TopicDefinition<unknown, Input>,
    records: readonly ProducerRecord<NoInfer<Input>>[],
  ): Promise<BatchMetadata[]>;
  sendBatch(topic: string, records: readonly ProducerRecord<PlainValue>[]): Promise<BatchMetadata[]>;
  /** Sends what lingers and waits until everything that was sent before the call is stored or has failed. Never rejects. */
  flush(): Promise<void>;
  /** Refuses further sends, then flushes. Takes at most `maxBlockMs` + `deliveryTimeoutMs`. Safe to call twice. */
  close(): Promise<void>;
}
