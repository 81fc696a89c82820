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

/** After its election a leader first looks within this at how much each log keeps. */
export const SWEEP_FIRST_MS = 60_000;

/** Between two looks at logs, of any partitions: ten a second at most. */
export const SWEEP_GAP_MS = 100;

/** The same after a look at one that keeps more than one step may trim, or at whose limit producers wait: fifty a second. */
export const SWEEP_BEHIND_GAP_MS = 20;

/** A partition is left alone this long at least, however much is due there. */
export const SWEEP_SHORTEST_MS = 1_000;

/** And at most, however young its records are. */
export const SWEEP_LONGEST_MS = 600_000;

/** Until the next look at a partition that a group has to commit in before anything is due. */
export const SWEEP_UNDECIDED_MS = 10_000;

/** Longest wait for a partition with a limit at which producers have to wait. */
export const SWEEP_BOUNDED_MS = 5_000;

/** The same where it is over half full, or a producer waits already; and for the first look of a new leader. */
export const SWEEP_PRESSED_MS = 500;

/** So long after the last look that found it so: who waits tries once a second, and not before every look. */
export const SWEEP_PRESSED_FOR_MS = 2_000;
