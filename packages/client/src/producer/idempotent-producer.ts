/** The producer behind `Millrace.producer()`: takes calls in, and looks after what its lanes share. */
import {
  ClosedError,
  ConfigError,
  createStickyPartitioner,
  parseName,
  type MillraceError,
} from '@millrace/core';
import { BatchBuffers, onReconnect, RedisTopicStore } from '@millrace/redis';
import type { ClientContext } from '../connect/client-context.ts';
import { describeKind } from '../options/describe-value.ts';
import { verifyListener, type OptionNames } from '../options/verify-option-names.ts';
import { PLAIN_CODEC, type AnyTopicDefinition } from '../topic/topic-definition.ts';
import type { ProducerLogTruncatedEvent } from '../truncation/log-truncated.ts';
import { AcknowledgedTrails } from './acknowledged-trails.ts';
import { openAppender, type CloseableAppender } from './appender.ts';
import { BatchDelivery, RecordDelivery, type Delivery } from './delivery.ts';
import { encodeRecords, type RecordFormat } from './encode-records.ts';
import { MemoryBudget } from './memory-budget.ts';
import { PlainRecords } from './plain-records.ts';
import { PartitionGroups } from './partition-groups.ts';
import type { PartitionLane } from './partition-lane.ts';
import type { ProducerIdentity } from './producer-identity.ts';
import type { ResolvedProducerOptions } from './producer-options.ts';
import type { BatchMetadata, Producer, ProducerRecord, RecordMetadata } from './producer.ts';
import { Submission } from './submission.ts';
import { TopicLane, type TopicLaneContext } from './topic-lane.ts';

/**
 * As much as a bulk load over sixteen partitions gives back at a time: with a quarter of it, a bulk load spent a fifth of its time
 * in the garbage collector.
 */
const MAX_KEPT_BYTES = 16_777_216;

const EVENTS: OptionNames<{ logTruncated: unknown }> = { logTruncated: true };

type Topic = string | AnyTopicDefinition;
type TruncationListener = (event: ProducerLogTruncatedEvent) => void;

export class IdempotentProducer implements Producer {
  readonly #lanes: TopicLaneContext;
  readonly #appender: CloseableAppender;
  readonly #trails: AcknowledgedTrails;
  readonly #listeners = new Set<TruncationListener>();
  readonly #topics = new Map<string, TopicLane>();
  /** Of topics that are sent to by their names. */
  readonly #formats = new Map<string, RecordFormat>();
  /** Lanes whose open batch goes out at the end of this turn of the event loop. */
  #dueLanes: PartitionLane[] = [];
  /** Why nothing is accepted any more. */
  #refusal: MillraceError | null = null;
  #isFenced = false;
  #closing: Promise<void> | null = null;
  readonly #onReady = (): void => {
    for (const topic of this.#topics.values()) topic.retryNow();
  };
  readonly #forget: () => void;
  readonly #unlisten: () => void;
  readonly #unwatch: Promise<() => void>;
  readonly #onUnheard: (error: MillraceError) => void;

  constructor(client: ClientContext, options: ResolvedProducerOptions, identity: ProducerIdentity) {
    const { command, keys, clock, random, logger } = client;
    const store = new RedisTopicStore(command, keys);
    this.#appender = openAppender(client, options.durability, this.#onReady);
    this.#trails = new AcknowledgedTrails(
      {
        clock,
        partitions: client.backend.partitions,
        onTruncated: (event, error) => this.#onTruncated(event, error),
        onTransportFailure: (error, during) => logger.debug({ err: error }, `${during} failed, trying again`),
      },
      options.onLogTruncated,
    );
    this.#lanes = {
      options,
      identity,
      log: this.#appender,
      trails: this.#trails,
      memory: new MemoryBudget(options.maxBufferedBytes, clock),
      buffers: new BatchBuffers(Math.min(options.maxBufferedBytes / 2, MAX_KEPT_BYTES)),
      groups: new PartitionGroups(),
      sticky: createStickyPartitioner(random),
      clock,
      random,
      logger,
      releaseSoon: (lane) => this.#releaseSoon(lane),
      fenced: (error) => this.#stop(error),
      isFenced: () => this.#isFenced,
      countPartitions: async (topic) => (await store.describe(topic))?.partitions ?? null,
    };
    this.#unlisten = onReconnect(command, this.#onReady);
    this.#forget = client.onClose('producer', () => this.close());
    this.#onUnheard = client.onUnheard;
    // Where it cannot be learned, the next acknowledgement tells of another server.
    this.#unwatch = client.backend
      .onServerChange((isAffected) => this.#trails.suspect(isAffected))
      .catch(() => () => {});
  }

  on(event: 'logTruncated', listener: TruncationListener): this {
    verifyListener('producer', event, listener, EVENTS);
    this.#listeners.add(listener);
    return this;
  }

  off(event: 'logTruncated', listener: TruncationListener): this {
    verifyListener('producer', event, listener, EVENTS);
    this.#listeners.delete(listener);
    return this;
  }

  send(topic: Topic, record: ProducerRecord<never>): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      this.#submit(topic, [record], new RecordDelivery(resolve, reject));
    });
  }

  sendBatch(topic: Topic, records: readonly ProducerRecord<never>[]): Promise<BatchMetadata[]> {
    return new Promise((resolve, reject) => {
      this.#submit(topic, records, new BatchDelivery(lengthOf(records), resolve, reject));
    });
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#topics.values()].map((topic) => topic.drained()));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#refusal ??= new ClosedError('this producer was closed');
    await this.flush();
    for (const topic of this.#topics.values()) topic.stopTimers();
    this.#unlisten();
    this.#trails.close();
    (await this.#unwatch)();
    await this.#appender.close();
    this.#forget();
  }

  /** What it throws becomes a rejection, as it is called from a promise's executor. */
  #submit(topic: Topic, records: readonly ProducerRecord<never>[], delivery: Delivery): void {
    if (this.#refusal !== null) throw this.#refusal;
    const format = typeof topic === 'string' ? this.#formatOf(topic) : topicFormat(topic);
    const { clock } = this.#lanes;
    const nowMs = clock.nowMs();
    const plain = PlainRecords.of(format, records, nowMs);
    const taken = plain === null ? 0 : (this.#topics.get(format.topic)?.takeNow(plain, delivery) ?? 0);
    if (taken > 0 && taken === records.length) return;
    const encoded = encodeRecords(format, records, nowMs);
    const lane = this.#topicLane(format.topic);
    if (!(encoded instanceof Promise)) {
      lane.submit(new Submission(delivery, encoded, clock.monotonicMs(), taken));
      return;
    }
    const submission = new Submission(delivery, null, clock.monotonicMs());
    lane.submit(submission);
    encoded.then(
      (ready) => {
        submission.records = ready;
        lane.advance();
      },
      (error: MillraceError) => {
        submission.abandon(error);
        lane.advance();
      },
    );
  }

  #formatOf(topic: string): RecordFormat {
    let format = this.#formats.get(topic);
    if (format === undefined) {
      format = { topic: parseName('topic', topic), value: PLAIN_CODEC };
      this.#formats.set(topic, format);
    }
    return format;
  }

  #topicLane(topic: string): TopicLane {
    let lane = this.#topics.get(topic);
    if (lane === undefined) {
      lane = new TopicLane(topic, this.#lanes);
      this.#topics.set(topic, lane);
    }
    return lane;
  }

  /**
   * One turn of the event loop, so that all sends of the turn share a batch. A microtask would come before the sends
   * of callers that are woken by the same reply through one more `await`.
   */
  #releaseSoon(lane: PartitionLane): void {
    if (this.#dueLanes.push(lane) > 1) return;
    setImmediate(() => {
      const due = this.#dueLanes;
      this.#dueLanes = [];
      for (const dueLane of due) dueLane.release();
    });
  }

  /** False when nobody listens. */
  #onTruncated(event: ProducerLogTruncatedEvent, error: MillraceError): boolean {
    const { logger } = this.#lanes;
    logger.warn({ err: error, code: error.code }, error.message);
    if (this.#listeners.size === 0) this.#onUnheard(error);
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (thrown) {
        logger.error({ err: thrown, event: 'logTruncated' }, 'a listener of the producer threw');
      }
    }
    return this.#listeners.size > 0;
  }

  #stop(error: MillraceError): void {
    this.#isFenced = true;
    if (this.#refusal === null || this.#refusal.code === 'CLOSED') this.#refusal = error;
    this.#lanes.logger.error({ code: error.code }, error.message);
    for (const topic of this.#topics.values()) topic.failAll(error);
  }
}

/** What is no list at all is refused when it is encoded. */
function lengthOf(records: readonly unknown[] | null | undefined): number {
  return records?.length ?? 0;
}

function topicFormat(topic: AnyTopicDefinition): RecordFormat {
  // Users without TypeScript pass anything.
  const { name, value, key } = (topic as Partial<AnyTopicDefinition> | null | undefined) ?? {};
  if (typeof name === 'string' && value !== undefined) return { topic: name, value, key };
  throw new ConfigError(
    'INVALID_OPTION',
    `a topic is its name, or what topic() gives, not ${describeKind(topic)}`,
  );
}
