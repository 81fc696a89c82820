/**
 * All that a consumer asks of Redis, as one port. `createRedisBackend` is what users get; the simulation puts a model
 * in its place, and the fault tests write down what goes through it.
 */
import type { GroupStore, PartitionKey, PartitionStore, StoredBatch, TopicStore } from '@millrace/core';
import type { ReadPosition } from '@millrace/redis';
import type { Lease, LeaseListener } from '../lease/lease-keeper.ts';

export interface LogReader {
  /**
   * Partitions with the same source can be read together; each source is read by itself, side by side with others. Left
   * out where one read can ask for all: then the source is ''.
   */
  sourceOf?(partition: PartitionKey): string;
  /** Entries in order per partition, all of one source; `blockMs` 0 returns at once. */
  read(
    positions: readonly ReadPosition[],
    maxEntries: number,
    blockMs: number,
  ): Promise<readonly StoredBatch[]>;
  /**
   * Ends the read of this source that is blocked at that moment, if there is one. Throws ConfigError where that is not
   * permitted.
   */
  unblock(source: string): Promise<void>;
  /** Ends a blocked read at once. */
  close(): Promise<void>;
}

export interface LeaseSettings {
  readonly group: string;
  readonly leaseMs: number;
  /** Without progress of the main thread for this long, the lease is given up. */
  readonly eventLoopTimeoutMs: number;
}

export interface Backend {
  readonly partitions: PartitionStore;
  readonly topics: TopicStore;
  groupStore(group: string): GroupStore;
  /** One consumer's own way to the logs. Throws what `openConnection` throws. */
  openReader(): Promise<LogReader>;
  /** One member's lease and presence. Throws what `openConnection` throws. */
  openLease(settings: LeaseSettings, listener: LeaseListener): Promise<Lease>;
  /**
   * Calls `run` whenever commands for the group's coordination can be sent again after they could not. Returns a function
   * that stops it.
   */
  onReconnect(run: () => void, group: string): () => void;
  /**
   * Calls `run` when the server that answers is another process than before, with a function that tells which partitions
   * it holds. Returns a function that stops it.
   */
  onServerChange(run: (isAffected: (partition: PartitionKey) => boolean) => void): Promise<() => void>;
}
