/** The log of every partition: append, where it starts and ends, and the offset that a time points to. */
import { ConfigError, DataError, UnavailableError, partitionKey, type PartitionKey } from '@millrace/core';
import type { Redis } from 'ioredis';
import { recordCount } from '../batch/batch-decoder.ts';
import type { Keys } from '../keys.ts';
import { appendBatch, type AppendReply, type AppendRequest } from './append-batch.ts';
import { foreignEntry } from './log-entry.ts';
import { offsetForTimestamp } from './offset-for-timestamp.ts';

/** The outcomes of an append that a producer acts upon; the others are thrown. */
export type AppendResult = Exclude<
  AppendReply,
  { status: 'FOREIGN_ENTRY' | 'LOG_MISSING' | 'TOO_MANY_PRODUCERS' }
>;

export interface LogDescription {
  /** Offset of the first record that is still there. */
  readonly start: number;
  /** Log end offset: the next record gets it. */
  readonly end: number;
  /** Differs when the partition was deleted and created again. Comparable with itself only. */
  readonly incarnation: string;
}

export interface PartitionName {
  readonly topic: string;
  readonly partition: number;
}

/** Commands go out in groups of this many, so that a huge topic does not fill the socket's buffer at once. */
const COMMANDS_AT_ONCE = 1_000;

export class RedisLog {
  readonly #connection: Redis;
  readonly #keys: Keys;

  constructor(connection: Redis, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /**
   * Appends one batch; safe to repeat with the same producer id, epoch and sequence, as often as no reply came.
   *
   * Throws DataError `FOREIGN_ENTRY` or `LOG_TRUNCATED` when the stream was changed past Millrace, UnavailableError
   * `TOO_MANY_PRODUCERS` (retryable), ConfigError `INVALID_RECORD` when the batch does not hold `recordCount`
   * records, and whatever the connection throws.
   */
  async append(request: AppendRequest): Promise<AppendResult> {
    if (recordCount(request.batch) !== request.recordCount) {
      const held = recordCount(request.batch);
      throw new ConfigError(
        'INVALID_RECORD',
        `recordCount is ${request.recordCount}, but the batch holds ${held}`,
      );
    }
    const reply = await appendBatch(this.#connection, this.#keys, request);
    const { topic, partition } = request;
    switch (reply.status) {
      case 'FOREIGN_ENTRY':
        throw foreignEntry(partitionKey(topic, partition), reply.id);
      case 'LOG_MISSING':
        throw new DataError(
          'LOG_TRUNCATED',
          `the stream of ${partitionKey(topic, partition)} is gone, with records up to offset ${reply.logEnd}: it was ` +
            'deleted past Millrace. Restore it from a backup, or delete the topic and create it again',
          { details: { topic, partition, logEnd: reply.logEnd } },
        );
      case 'TOO_MANY_PRODUCERS':
        throw new UnavailableError(
          'TOO_MANY_PRODUCERS',
          `${partitionKey(topic, partition)} keeps ${reply.limit} producers already, all active within ten minutes; ` +
            `there is room in ${reply.retryAfterMs} ms. Use one producer per process, or give producers stable ids`,
          { details: { topic, partition, limit: reply.limit, retryAfterMs: reply.retryAfterMs } },
        );
      default:
        return reply;
    }
  }

  /** `null` where there is no such partition. */
  async describe(topic: string, partition: number): Promise<LogDescription | null> {
    const fields = await this.#connection.hmget(
      this.#keys.partition(topic, partition).state,
      'start',
      'end',
      'incarnation',
    );
    const [start, end, incarnation] = fields;
    if (end === null || end === undefined) return null;
    return { start: Number(start ?? 0), end: Number(end), incarnation: incarnation ?? '' };
  }

  /** Partitions that do not exist are absent from the result. */
  async describeMany(
    partitions: readonly PartitionName[],
  ): Promise<ReadonlyMap<PartitionKey, LogDescription>> {
    const descriptions = new Map<PartitionKey, LogDescription>();
    for (let first = 0; first < partitions.length; first += COMMANDS_AT_ONCE) {
      const group = partitions.slice(first, first + COMMANDS_AT_ONCE);
      const described = await Promise.all(
        group.map(({ topic, partition }) => this.describe(topic, partition)),
      );
      for (const [index, { topic, partition }] of group.entries()) {
        const description = described[index];
        if (description) descriptions.set(partitionKey(topic, partition), description);
      }
    }
    return descriptions;
  }

  /**
   * Offset of the first batch that was appended at `timestampMs` or later, by the server's clock; `null` when there
   * is none. About log2(records) round trips. Throws ConfigError `UNKNOWN_PARTITION`.
   */
  async offsetForTimestamp(topic: string, partition: number, timestampMs: number): Promise<number | null> {
    const description = await this.describe(topic, partition);
    if (description === null) {
      throw new ConfigError('UNKNOWN_PARTITION', `there is no partition ${partitionKey(topic, partition)}`, {
        details: { topic, partition },
      });
    }
    return offsetForTimestamp(this.#connection, this.#keys, { topic, partition }, description, timestampMs);
  }
}
