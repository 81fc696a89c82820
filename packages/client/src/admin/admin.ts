/** What can be asked of, and done to, topics and groups from outside. */
import type { GroupEvent, TopicLimits } from '@millrace/core';
import type { GroupOffset } from '@millrace/redis';

export interface TopicPartitionDetails {
  readonly partition: number;
  /** Offset of the first record that is still there. */
  readonly logStart: number;
  /** The offset that the next record gets. */
  readonly logEnd: number;
  /** Of the batches in the log, as they are stored: what `maxBytes` limits. Redis needs a little more for them. */
  readonly bytes: number;
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
  /** Those that were set; for the others the defaults count. */
  readonly limits: TopicLimits;
  readonly partitions: readonly TopicPartitionDetails[];
}

export interface CreateTopicOptions {
  /** 1 to 100,000. Bounds how many members of a group can work at once; can be raised later, never lowered. */
  readonly partitions: number;
  /** How much each partition keeps. Default: all, but for what every group has committed, which goes after an hour. */
  readonly limits?: TopicLimits | undefined;
}

export interface GroupInfo {
  readonly group: string;
  /** Members at present, idle ones included. */
  readonly members: number;
}

export interface GroupMemberDetails {
  readonly memberId: string;
  /** Set for a static member. */
  readonly instanceId: string | null;
  readonly host: string;
  readonly pid: number;
  /** Names and patterns as they were subscribed to, e.g. `orders`, `/^audit-/`. */
  readonly subscriptions: readonly string[];
  /** Partitions that it owns. None for long: there are more members than partitions. */
  readonly partitions: number;
  /** It gives up what it owns and gets nothing any more. */
  readonly isLeaving: boolean;
  /** By the clock of the member's host, milliseconds since 1970. */
  readonly joinedAtMs: number;
}

/** `owner` is a member that is present: `null` for one that has died, too. */
export interface GroupPartitionDetails extends GroupOffset {
  /** Records that wait; `null` where the group has not begun. */
  readonly lag: number | null;
}

export interface GroupDetails {
  readonly group: string;
  /** Counts changes of membership, subscriptions and topics. */
  readonly generation: number;
  /** Generation that the present assignment was made for; lower while the leader works on the next. */
  readonly assignmentGeneration: number;
  /** Member id, `null` while nobody leads. */
  readonly leader: string | null;
  /** By member id. */
  readonly members: readonly GroupMemberDetails[];
  /** Of the topics that a member is subscribed to, and wherever the group has committed. By topic and partition. */
  readonly partitions: readonly GroupPartitionDetails[];
}

export interface GroupEventsOptions {
  /** Only events after the one with this id. Default: from the oldest that is kept. */
  readonly after?: string | undefined;
  /** At most this many, 1 to 10,000. Default 100. */
  readonly count?: number | undefined;
}

/**
 * All methods throw `INVALID_NAME` (ConfigError) for names that cannot exist and UnavailableError while Redis cannot
 * be reached; after that error a change may or may not have been made, and repeating it is safe.
 */
export interface Admin {
  /**
   * Throws `TOPIC_EXISTS` (ConfigError) when there is one with another number of partitions, or other limits than the
   * given. With the same, it is done.
   */
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
  /**
   * Puts these limits in the place of all that the topic had: one that is left out has its default again. Appends heed
   * them at once; what is over them already is trimmed within a minute, by the leader of a group of the topic. Throws
   * `UNKNOWN_TOPIC` (ConfigError).
   */
  setTopicLimits(name: string, limits: TopicLimits): Promise<void>;
  /** Deletes the topic with its records and all groups' offsets in it. Throws `UNKNOWN_TOPIC` (ConfigError). */
  deleteTopic(name: string): Promise<void>;
  /**
   * First offset whose record was appended at `timestampMs` (clock of the Redis server) or later, `null` when there is
   * none. Records that were appended together count as of one time. Throws `UNKNOWN_PARTITION` (ConfigError).
   */
  offsetForTimestamp(name: string, partition: number, timestampMs: number): Promise<number | null>;

  /** Groups that have ever been joined and were not deleted, by name. */
  listGroups(): Promise<readonly GroupInfo[]>;
  /** Read piece by piece, not at one moment. Throws `UNKNOWN_GROUP` (ConfigError). */
  describeGroup(group: string): Promise<GroupDetails>;
  /**
   * The history of the group, oldest first: who joined, left, was evicted, what was assigned and why. Throws
   * `UNKNOWN_GROUP` (ConfigError).
   */
  groupEvents(group: string, options?: GroupEventsOptions): Promise<readonly GroupEvent[]>;
  /**
   * Deletes a group with its committed offsets and its history. Throws `GROUP_NOT_EMPTY` while it has living members and
   * `UNKNOWN_GROUP` (ConfigError). Members that died and left nobody behind who would notice are waited for: up to
   * their lease.
   */
  deleteGroup(group: string): Promise<void>;
}
