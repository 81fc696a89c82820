/** The consumer as users see it. What it does is in `GroupMember`; this is names, checks and the life cycle. */
import { ClosedError, ConfigError, partitionKey } from '@millrace/core';
import { toMillraceError } from '@millrace/redis';
import type { ClientContext } from '../connect/client-context.ts';
import { verifyListener, type OptionNames } from '../options/verify-option-names.ts';
import { verifyPartition, verifyPartitions } from '../options/verify-partitions.ts';
import type { TopicSelector, ValueOf } from '../topic/topic-definition.ts';
import type { ConsumerEventName, ConsumerEvents, Listener, OwnedPartition } from './consumer-events.ts';
import type { ConsumerRecord } from './consumer-record.ts';
import { GroupMember } from './group-member.ts';
import type { EachRecord, Handlers } from './handlers.ts';
import type { TopicPartition, TopicPartitionOffset } from './offset-control.ts';
import { resolveOptions, type ConsumerOptions } from './options.ts';
import { RecordIterator } from './record-iterator.ts';

const EVENTS: OptionNames<ConsumerEvents> = {
  assigned: true,
  revoked: true,
  lost: true,
  rebalanced: true,
  logTruncated: true,
  recordsTrimmed: true,
  error: true,
};

/**
 * One member of a group. Delivery begins with `run` or with `for await`, and ends with `close`.
 *
 * Per partition: records in order, one handler call at a time, from the committed offset on. Partitions run side by
 * side. A handler that throws is called again with the same record; see `ConsumerOptions.retry`.
 */
export class Consumer<T extends TopicSelector = TopicSelector> implements AsyncDisposable {
  readonly #member: GroupMember<ValueOf<T>>;
  readonly #unregister: () => void;
  #state: 'idle' | 'running' | 'closed' = 'idle';
  #iterator: RecordIterator<ValueOf<T>> | null = null;
  #closing: Promise<void> | null = null;

  /** Not public: `millrace.consumer()` makes consumers. */
  constructor(context: ClientContext, options: ConsumerOptions<T>) {
    this.#member = new GroupMember(context, resolveOptions(options), options.topics, () => void this.close());
    this.#unregister = context.onClose('consumer', () => this.close());
  }

  /** Id in the group; empty before the first join. Changes when the member has to join anew. */
  get memberId(): string {
    return this.#member.memberId;
  }

  /** Whether this member computes the group's assignments at the moment. */
  get isLeader(): boolean {
    return this.#member.isLeader;
  }

  /**
   * Joins the group and starts delivery; resolves once the member has joined. Assignments follow as `assigned` events.
   *
   * Throws `UNKNOWN_TOPIC`, `DUPLICATE_INSTANCE_ID`, `PROTOCOL_MISMATCH` (ConfigError), what a lost connection gives
   * (UnavailableError), and `CLOSED`.
   */
  async run(handlers: Handlers<ValueOf<T>>): Promise<void> {
    // Users without TypeScript pass anything, or nothing.
    const { eachRecord, eachBatch } = (handlers as Handlers<ValueOf<T>> | null | undefined) ?? {};
    if ((typeof eachRecord === 'function') === (typeof eachBatch === 'function')) {
      throw new ConfigError(
        'INVALID_OPTION',
        'run() takes one of the functions "eachRecord" and "eachBatch"',
      );
    }
    if (this.#state === 'closed') throw new ClosedError('this consumer is closed: make a new one');
    if (this.#state === 'running') throw new ConfigError('INVALID_OPTION', 'this consumer runs already');
    this.#state = 'running';
    try {
      await this.#member.start(handlers);
    } catch (error) {
      await this.close();
      // What Redis answers with a refusal (it is out of memory, say) comes from the driver as it is.
      throw toMillraceError(error, 'joining the group');
    }
  }

  /** `for await (const record of consumer)`. Leaving the loop closes the consumer. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<ValueOf<T>>> {
    this.#iterator ??= new RecordIterator<ValueOf<T>>({
      start: (eachRecord) => this.run({ eachRecord }),
      stop: () => this.close(),
      onInterrupt: (delivery: EachRecord<ValueOf<T>>, interrupt) => {
        const lane = this.#member.lane(partitionKey(delivery.topic, delivery.partition));
        if (lane?.epoch === delivery.epoch) lane.onInterrupt = interrupt;
      },
    });
    return this.#iterator;
  }

  /** Partitions owned now, each with the epoch of its ownership. */
  assignment(): OwnedPartition[] {
    return this.#member.assignment();
  }

  /**
   * Stops delivery of partitions before their next record; they stay owned. Holds until `resume`, also when a
   * partition goes away and comes back in between.
   */
  pause(partitions: readonly TopicPartition[]): void {
    verifyPartitions('pause', partitions);
    for (const { topic, partition } of partitions) this.#member.pause(partitionKey(topic, partition));
  }

  /** Resumes what was paused, and what was halted by an error: the record that failed is delivered again. */
  resume(partitions: readonly TopicPartition[]): void {
    verifyPartitions('resume', partitions);
    for (const { topic, partition } of partitions) this.#member.resume(partitionKey(topic, partition));
  }

  paused(): TopicPartition[] {
    return this.#member.paused();
  }

  /**
   * Goes on at `offset`, which becomes the committed offset: forward skips records, back repeats them. Written to the
   * group's history. Throws `INVALID_OPTION` when the partition is not owned here or the log does not hold the offset,
   * `FENCED` when somebody else owns it by now. Where the connection breaks before the answer, it is repeated until Redis
   * answers: only when the partition is lost or given up meanwhile does it reject with `REDIS_UNREACHABLE`, and the group
   * goes on at `offset` or at what was committed before.
   */
  async seek(to: TopicPartitionOffset): Promise<void> {
    verifyPartition('seek', to);
    return this.#member.seek(to);
  }

  /**
   * Commits now. Without arguments what is processed; with offsets, those (each the next record to consume). Throws
   * `INVALID_OPTION` for an offset that was not delivered, `FENCED` when a partition is somebody else's by now.
   */
  async commit(offsets?: readonly TopicPartitionOffset[]): Promise<void> {
    if (offsets !== undefined) verifyPartitions('commit', offsets);
    return this.#member.commit(offsets);
  }

  /**
   * Listeners are called synchronously; `assigned` comes before the first record of its partitions. Throws
   * `INVALID_OPTION` (ConfigError) for an event that there is not.
   */
  on<E extends ConsumerEventName>(event: E, listener: Listener<E>): this {
    verifyListener('consumer', event, listener, EVENTS);
    this.#member.emitter.on(event, listener);
    return this;
  }

  off<E extends ConsumerEventName>(event: E, listener: Listener<E>): this {
    verifyListener('consumer', event, listener, EVENTS);
    this.#member.emitter.off(event, listener);
    return this;
  }

  /**
   * Leaves in order: no new record is delivered, handler calls under way finish (at most `drainTimeoutMs`), what is
   * processed is committed, every partition is released as soon as it is done, and the member leaves. Nothing is
   * delivered twice because of it. A static member keeps its place for `leaseMs`.
   *
   * Not from inside a handler: it waits for that handler.
   */
  close(): Promise<void> {
    this.#state = 'closed';
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#iterator?.end();
    try {
      await this.#member.stop();
    } finally {
      this.#unregister();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
