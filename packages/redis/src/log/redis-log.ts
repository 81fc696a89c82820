/** The log of every partition: append, where it starts and ends, and the offset that a time points to. */
import { ConfigError, partitionKey, type PartitionKey } from '@millrace/core';
import type { CommandConnection } from '../connection/command-connection.ts';
import type { Keys } from '../keys.ts';
import type { AppendRequest } from './append-batch.ts';
import { appendToLog, type AppendResult } from './append-to-log.ts';
import { offsetForTimestamp } from './offset-for-timestamp.ts';

export interface LogDescription {
  /** Offset of the first record that is still there. */
  readonly start: number;
  /** Log end offset: the next record gets it. */
  readonly end: number;
  /** Of all batches in the log, as they are stored; of a log from before they were counted, of those since. */
  readonly bytes: number;
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
  readonly #connection: CommandConnection;
  readonly #keys: Keys;

  constructor(connection: CommandConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** See `appendToLog`. */
  append(request: AppendRequest): Promise<AppendResult> {
    return appendToLog(this.#connection, this.#keys, request);
  }

  /** `null` where there is no such partition. */
  async describe(topic: string, partition: number): Promise<LogDescription | null> {
    const fields = await this.#connection.hmget(
      this.#keys.partition(topic, partition).state,
      'start',
      'end',
      'incarnation',
      'bytes',
    );
    const [start, end, incarnation, bytes] = fields;
    if (end === null || end === undefined) return null;
    return {
      start: Number(start ?? 0),
      end: Number(end),
      bytes: Number(bytes ?? 0),
      incarnation: incarnation ?? '',
    };
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
