/** The catalogue of topics, as far as the group protocol needs it. */

/**
 * How much a topic's log keeps, for each of its partitions. What every group has committed goes after a while; what a
 * group has not committed yet only goes by `maxAgeMs` or `onFull: 'trim'`, and its consumers are told.
 */
export interface TopicLimits {
  /** Most records of a partition. */
  readonly maxRecords?: number | undefined;
  /** Most bytes of a partition, counted as the batches are stored. */
  readonly maxBytes?: number | undefined;
  /** Batches appended longer ago are trimmed, committed or not. Milliseconds by the clock of the Redis server. */
  readonly maxAgeMs?: number | undefined;
  /**
   * What an append does that would go over `maxRecords` or `maxBytes`: `refuse`, the default, makes the producer wait;
   * `trim` takes the oldest batches away, committed or not.
   */
  readonly onFull?: 'refuse' | 'trim' | undefined;
  /**
   * How long after they were appended batches go that every group has committed, milliseconds, 0 for at once. Default
   * one hour. Over half of a limit with `refuse` they go at once.
   */
  readonly trimCommittedAfterMs?: number | 'never' | undefined;
}

export const DEFAULT_TRIM_COMMITTED_AFTER_MS = 3_600_000;

export interface VersionedLimits {
  /** Only rises: a partition that has a later one keeps its own. Microseconds since 1970 at least. */
  readonly version: number;
  readonly limits: TopicLimits;
}

export interface TopicEntry {
  readonly partitions: number;
  /** Names this creation of the topic: one that is deleted and created again has another. */
  readonly incarnation: string;
  /** Absent where none were ever set: the defaults. */
  readonly limits?: VersionedLimits | undefined;
}

export type TopicCatalogue = ReadonlyMap<string, TopicEntry>;

export interface TopicStore {
  /** Topic → number of partitions. */
  partitionCounts(): Promise<ReadonlyMap<string, number>>;
  catalogue(): Promise<TopicCatalogue>;
}
