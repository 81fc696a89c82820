/**
 * What a consumer needs of one partition's slot. This slot is the authority over who owns the partition: the group's
 * slot holds intent only.
 */
import type { PartitionKey } from '../names.ts';
import type { VersionedLimits } from './topic-store.ts';

/** Where to begin when a group has no committed offset, or one that the log no longer holds. */
export type OffsetReset = 'earliest' | 'latest' | 'fail';

export interface AcquireRequest {
  readonly topic: string;
  readonly partition: number;
  readonly group: string;
  readonly memberId: string;
  /** Fresh for every ownership; a seek puts another one in its place. */
  readonly nonce: string;
  /** Number of the claim in the group's slot. Refused when this slot has seen a later one, or another member's of it. */
  readonly claim: number;
  readonly offsetReset: OffsetReset;
}

export type AcquireResult =
  | {
      readonly status: 'ACQUIRED';
      readonly epoch: number;
      readonly committed: number;
      readonly logStart: number;
      readonly logEnd: number;
      readonly incarnation: string;
      /** Fingerprint of the last committed batch, empty where nothing was committed yet. */
      readonly fingerprint: string;
      /** Identity of what answered: another one may hold less. Changes with every restart and every failover. */
      readonly server: string;
      /** Null: `committed` is what the group had committed. Else what it had (null: nothing) and the log does not hold. */
      readonly reset: { readonly from: number | null } | null;
    }
  | { readonly status: 'SUPERSEDED'; readonly claim: number; readonly owner: string }
  | {
      readonly status: 'NO_OFFSET';
      readonly committed: number | null;
      readonly logStart: number;
      readonly logEnd: number;
    }
  | { readonly status: 'UNKNOWN_PARTITION' };

/** Names one ownership; every write carries it and is refused when it is no longer the current one. */
export interface Fence {
  readonly topic: string;
  readonly partition: number;
  readonly group: string;
  readonly epoch: number;
  readonly nonce: string;
  /** Where it was acquired; every other server refuses it. */
  readonly server: string;
}

export type FenceRefusal =
  | { readonly status: 'FENCED'; readonly epoch: number; readonly owner: string }
  /** Redis was restarted or failed over since the acquire, and may have forgotten what this owner builds upon. */
  | { readonly status: 'SERVER_CHANGED'; readonly server: string };

export type CommitResult =
  /** `committed` is what is stored now; larger than asked when an earlier call went further. */
  | { readonly status: 'COMMITTED'; readonly committed: number }
  | FenceRefusal
  | { readonly status: 'BEYOND_END'; readonly logEnd: number };

export type ReleaseResult = { readonly status: 'RELEASED' } | FenceRefusal;

export type SeekResult =
  /** `from` is null when this very call was executed before, and its reply was lost. */
  | { readonly status: 'SOUGHT'; readonly from: number | null; readonly committed: number }
  | FenceRefusal
  | { readonly status: 'OUT_OF_RANGE'; readonly logStart: number; readonly logEnd: number };

export interface Progress {
  readonly committed: number;
  readonly logEnd: number;
}

/** What a log holds at the ends of batches that somebody remembers. */
export interface LogFingerprints {
  readonly logStart: number;
  readonly logEnd: number;
  readonly incarnation: string;
  readonly server: string;
  /** Of each batch that was asked for; empty where no batch ends. */
  readonly fingerprints: readonly string[];
}

export interface TrimRequest {
  readonly topic: string;
  readonly partition: number;
  /** Of the log that is meant: another one is left alone. */
  readonly incarnation: string;
  /** The partition's groups as they were told last, in any order; empty at first. */
  readonly groups: readonly string[];
  /** As the catalogue has them. Adopted by a partition that has none, or older ones: a failover can lose its own. */
  readonly limits: VersionedLimits | null;
}

export type TrimResult =
  | {
      readonly status: 'TRIMMED';
      readonly logStart: number;
      readonly logEnd: number;
      /** Of all batches in the log. */
      readonly bytes: number;
      /** That were trimmed by this call: one call has a bound. */
      readonly batches: number;
      /** Before it nothing can be due by its age; 0 when more is due already. Null where a commit has to come first. */
      readonly waitMs: number | null;
      /** An append was refused, or soon may be: whoever commits makes room. */
      readonly isPressed: boolean;
    }
  /** Nothing was done: these are the groups. */
  | { readonly status: 'GROUPS_CHANGED'; readonly groups: readonly string[] }
  | { readonly status: 'OTHER_INCARNATION'; readonly incarnation: string }
  | { readonly status: 'UNKNOWN_PARTITION' };

export interface PartitionStore {
  acquire(request: AcquireRequest): Promise<AcquireResult>;
  /** `fingerprint` names the batch that holds record `offset - 1`; empty when unknown. */
  commit(fence: Fence, offset: number, fingerprint: string): Promise<CommitResult>;
  /** Gives the ownership up; the epoch and the committed offset stay. */
  release(fence: Fence): Promise<ReleaseResult>;
  /**
   * The only way for a committed offset to go back. Afterwards the ownership is proved by `nextNonce`, fresh for every
   * seek and the same when one is repeated: whatever was sent with the nonce of before, and arrives late, is fenced.
   */
  seek(fence: Fence, offset: number, nextNonce: string): Promise<SeekResult>;
  /** Null where the group has committed nothing yet, or the partition does not exist. */
  progress(topic: string, partition: number, group: string): Promise<Progress | null>;
  /** Null where the partition does not exist. `nextOffsets`: after the last record of each batch that is asked for. */
  fingerprints(
    topic: string,
    partition: number,
    nextOffsets: readonly number[],
  ): Promise<LogFingerprints | null>;
  /** Takes away what the topic's limits do not keep, the oldest batches first. Safe to repeat, and for many at a time. */
  trim(request: TrimRequest): Promise<TrimResult>;
}

/** One stored batch as it was read, still encoded. */
export interface StoredBatch {
  readonly partition: PartitionKey;
  /** Offset after the last record of the batch. */
  readonly nextOffset: number;
  /** Append time by the clock of the Redis server, milliseconds since 1970. */
  readonly appendedMs: number;
  readonly bytes: Uint8Array;
}
