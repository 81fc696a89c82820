/** What leading a group needs from outside, and its times. */
import type {
  Assignor,
  Clock,
  GroupStore,
  MillraceError,
  PartitionStore,
  Random,
  TopicStore,
} from '@millrace/core';
import type { Identity } from '../identity.ts';

export interface LeaderPort {
  readonly clock: Clock;
  readonly random: Random;
  readonly group: GroupStore;
  readonly topics: TopicStore;
  readonly partitions: PartitionStore;
  /** Null while this member is in no group. */
  identity(): Identity | null;
  onError(error: MillraceError): void;
  onTransportFailure(error: unknown, during: string): void;
  onLeading(isLeading: boolean): void;
}

export interface LeaderSettings {
  readonly group: string;
  readonly assignor: Assignor;
  readonly leaseMs: number;
  /** A hand-over that takes longer is forced. */
  readonly handOverTimeoutMs: number;
}

/** How long a presence may be gone before it means death; a reconnect must fit. */
export const PRESENCE_GRACE_MS = 200;

/** Between two looks of the leader at everybody. */
export const WATCH_INTERVAL_MS = 200;

/** Between two looks of one deputy at the leader. With three deputies the leader is looked at three times as often. */
export const DEPUTY_WATCH_INTERVAL_MS = 1_000;

/** Between two audits, and two looks at the topics. */
export const AUDIT_INTERVAL_MS = 2_000;

/** Joins that come together are one rebalance. */
export const JOIN_DELAY_MS = 100;

/** The leader lock expires after it, and anybody may try for it then. */
export const LOCK_MS = 10_000;

/** Who is no deputy tries for a vacant lead after up to this, so that a fleet does not try at once. */
export const CAMPAIGN_SPREAD_MS = 500;

/** Head start of the deputy that has deposed a leader. */
export const DEPOSER_FIRST_MS = 150;

/** Partitions whose progress one audit looks at, in turn: a bounded cost, however many there are. */
export const PROGRESS_LOOKS_PER_AUDIT = 4;

/** A partition with records waiting whose committed offset stands still for this long is told of. */
export const STALL_MS = 60_000;
