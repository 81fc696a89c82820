/**
 * Every key of the system, in one place. What must change atomically shares a hash tag, and with it a cluster slot:
 * `{topic/partition}` for a log with its offsets, `{group}` for a group's coordination. Topic names cannot hold a
 * slash, so a group and a partition never share a tag by accident.
 */
import { partitionKey } from '@millrace/core';

// The comments of these interfaces are the tables of docs/protocol.md: run `pnpm generate` after a change.

export interface PartitionKeys {
  /** Stream: the log. One entry is one record batch: `t` append time (ms), `b` bytes; its id is `0-<next offset>`. */
  readonly log: string;
  /**
   * Hash: `start`, `end` (log end offset), `incarnation` of this log, `appendedMs` of its last batch, `bytes` of all
   * batches in the log (from `bytesSince` on), `limits`, `full` once an append was refused.
   */
  readonly state: string;
  /** Set of the groups that have acquired this partition: trimming must not overtake them. */
  readonly groups: string;
  /** Hash: producer id → epoch, next sequence, last batches. One key for all of them: it can be capped and deleted. */
  readonly producers: string;
  /** Sorted set: producer id by the time of its last append (ms). */
  readonly producerTimes: string;
  /** Hash of one group: owner, epoch, nonce, claim, committed offset and its fingerprint, a reset to be told of. */
  group(group: string): string;
}

export interface GroupKeys {
  /** Hash: protocol, generation, assignmentGeneration, incarnations, claims (the last number), leader, leaderEpoch, deputies. */
  readonly state: string;
  /** Hash: member id → `<session> <description, JSON>`. */
  readonly members: string;
  /** Hash: member id → heartbeat counter. */
  readonly beats: string;
  /** Hash: `topic/partition` → `<claim number> <member id>`. */
  readonly owners: string;
  /** Hash: member id → its partitions, encoded. Of the generation `assignmentGeneration` in `state`. */
  readonly assignment: string;
  /** String held by redlock. Only picks who computes; fencing is `leaderEpoch` in `state`. */
  readonly leaderLock: string;
  /** Stream, capped: the rebalance history. */
  readonly events: string;
  /** Sharded pub/sub channel: something in this group changed. A hint, never needed for correctness. */
  readonly wake: string;
  /** Sharded pub/sub channel that a member's lease connection is subscribed to: its subscriber count is its presence. */
  presence(memberId: string): string;
}

export interface Keys {
  /** Begins every key. */
  readonly prefix: string;
  /** Hash: topic → JSON {partitions, createdAtMs, incarnation, limits, state while it is created or deleted}. */
  readonly topics: string;
  /** Set of group names. */
  readonly groups: string;
  /** Hash: named producer id → `<epoch> <session of the instance that took the name last>`. */
  readonly producers: string;
  partition(topic: string, partition: number): PartitionKeys;
  group(group: string): GroupKeys;
}

export const DEFAULT_PREFIX = 'millrace';

export function createKeys(prefix: string = DEFAULT_PREFIX): Keys {
  return {
    prefix,
    topics: `${prefix}:topics`,
    groups: `${prefix}:groups`,
    producers: `${prefix}:producers`,
    partition: (topic, partition) => partitionKeys(prefix, topic, partition),
    group: (group) => groupKeys(prefix, group),
  };
}

function partitionKeys(prefix: string, topic: string, partition: number): PartitionKeys {
  const base = `${prefix}:{${partitionKey(topic, partition)}}`;
  return {
    log: `${base}:log`,
    state: `${base}:state`,
    groups: `${base}:groups`,
    producers: `${base}:producers`,
    producerTimes: `${base}:producer-times`,
    group: (group) => `${base}:group:${group}`,
  };
}

function groupKeys(prefix: string, group: string): GroupKeys {
  const base = `${prefix}:{${group}}`;
  return {
    state: `${base}:state`,
    members: `${base}:members`,
    beats: `${base}:beats`,
    owners: `${base}:owners`,
    assignment: `${base}:assignment`,
    leaderLock: `${base}:leader-lock`,
    events: `${base}:events`,
    wake: `${base}:wake`,
    presence: (memberId) => `${base}:member:${memberId}`,
  };
}
