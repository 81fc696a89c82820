/** What can be asked of, and done to, topics and groups from outside. */

export interface TopicPartitionDetails {
  readonly partition: number;
  /** Offset of the first record that is still there. */
  readonly logStart: number;
  /** The offset that the next record gets. */
  readonly logEnd: number;
}

export interface TopicInfo {
  readonly name: string;
  readonly partitions: number;
  /** Clock of the Redis server, milliseconds since 1970. */
  readonly createdAtMs: number;
}

export interface TopicDetails {
  readonly name: string;
  readonly createdAtMs: number;
  readonly partitions: readonly TopicPartitionDetails[];
}

export interface CreateTopicOptions {
  /** 1 to 100,000. Bounds how many members of a group can work at once; can be raised later, never lowered. */
  readonly partitions: number;
}

/**
 * All methods throw `INVALID_NAME` (ConfigError) for names that cannot exist and UnavailableError while Redis cannot
 * be reached; after that error a change may or may not have been made, and repeating it is safe.
 */
export interface Admin {
  /** Throws `TOPIC_EXISTS` (ConfigError) when there is one with another number of partitions. With the same, it is done. */
  createTopic(name: string, options: CreateTopicOptions): Promise<void>;
  /** By name. */
  listTopics(): Promise<readonly TopicInfo[]>;
  /** Throws `UNKNOWN_TOPIC` (ConfigError). */
  describeTopic(name: string): Promise<TopicDetails>;
  /**
   * Raises the number of partitions to `total`. Records of a key may go to another partition from then on; those sent
   * before stay where they are. Throws `FEWER_PARTITIONS` or `UNKNOWN_TOPIC` (ConfigError).
   */
  addPartitions(name: string, total: number): Promise<void>;
  /** Deletes the topic with its records and all groups' offsets in it. Throws `UNKNOWN_TOPIC` (ConfigError). */
  deleteTopic(name: string): Promise<void>;
  /**
   * First offset whose record was appended at `timestampMs` (clock of the Redis server) or later, `null` when there is
   * none. Records that were appended together count as of one time. Throws `UNKNOWN_PARTITION` (ConfigError).
   */
  offsetForTimestamp(name: string, partition: number, timestampMs: number): Promise<number | null>;
}
