/** The partition port on Redis: each method is one script in the partition's own slot. */
import type {
  AcquireRequest,
  AcquireResult,
  CommitResult,
  Fence,
  LogFingerprints,
  PartitionStore,
  Progress,
  ReleaseResult,
  SeekResult,
  TrimRequest,
  TrimResult,
} from '@millrace/core';
import { gatherWrites, type Written } from '../connection/gather-writes.ts';
import type { Keys } from '../keys.ts';
import { readFingerprints } from '../log/read-fingerprints.ts';
import type { ScriptConnection } from '../run-script.ts';
import { acquirePartition, commitOffset, readProgress, releasePartition, seekOffset } from './ownership.ts';
import { trimPartition } from './trim-partition.ts';

export class RedisPartitionStore implements PartitionStore {
  readonly #connection: ScriptConnection & Written;
  readonly #keys: Keys;

  constructor(connection: ScriptConnection & Written, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  acquire(request: AcquireRequest): Promise<AcquireResult> {
    return acquirePartition(this.#connection, this.#keys, request);
  }

  commit(fence: Fence, offset: number, fingerprint: string): Promise<CommitResult> {
    gatherWrites(this.#connection);
    return commitOffset(this.#connection, this.#keys, fence, offset, fingerprint);
  }

  release(fence: Fence): Promise<ReleaseResult> {
    return releasePartition(this.#connection, this.#keys, fence);
  }

  seek(fence: Fence, offset: number, nextNonce: string): Promise<SeekResult> {
    gatherWrites(this.#connection);
    return seekOffset(this.#connection, this.#keys, fence, offset, nextNonce);
  }

  progress(topic: string, partition: number, group: string): Promise<Progress | null> {
    return readProgress(this.#connection, this.#keys, topic, partition, group);
  }

  fingerprints(
    topic: string,
    partition: number,
    nextOffsets: readonly number[],
  ): Promise<LogFingerprints | null> {
    return readFingerprints(this.#connection, this.#keys, topic, partition, nextOffsets);
  }

  trim(request: TrimRequest): Promise<TrimResult> {
    return trimPartition(this.#connection, this.#keys, request);
  }
}
