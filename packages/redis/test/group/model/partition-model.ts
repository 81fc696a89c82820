/** The rules of a partition's slot once more, for one group, as naively as they can be written down. */
import type {
  AcquireRequest,
  AcquireResult,
  CommitResult,
  Fence,
  ReleaseResult,
  SeekResult,
} from '@millrace/core';

export interface StoredOwnership {
  readonly claim: number;
  readonly epoch: number;
  readonly committed: number;
  readonly fingerprint: string;
  /** Both null after a release. */
  readonly owner: string | null;
  readonly nonce: string | null;
}

export class PartitionModel {
  #start = 0;
  #end = 0;
  #stored: StoredOwnership | null = null;

  /** What Redis would hold; null before the first owner. */
  get stored(): StoredOwnership | null {
    return this.#stored;
  }

  append(recordCount: number): number {
    this.#end += recordCount;
    return this.#end - recordCount;
  }

  /** What trimming, or a failover that loses the tail, makes of the log. */
  setLog(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
  }

  acquire(request: AcquireRequest, timeMs: number): AcquireResult {
    const { memberId, nonce, claim, offsetReset } = request;
    const log = { logStart: this.#start, logEnd: this.#end };
    const before = this.#stored;
    if (before !== null) {
      const isTwin = before.claim === claim && before.owner !== null && before.owner !== memberId;
      if (before.claim > claim || isTwin) {
        return { status: 'SUPERSEDED', claim: before.claim, owner: before.owner ?? '' };
      }
      if (before.nonce === nonce) {
        const { epoch, committed, fingerprint } = before;
        return { status: 'ACQUIRED', epoch, committed, fingerprint, incarnation: '1-x', ...log, reset: null };
      }
    }
    const had = before?.committed ?? null;
    const isUsable = had !== null && had >= this.#start && had <= this.#end;
    if (!isUsable && offsetReset === 'fail') return { status: 'NO_OFFSET', committed: had, ...log };

    let committed = had ?? this.#start;
    if (!isUsable) {
      const lostItsTail = had !== null && had > this.#end;
      committed = lostItsTail || offsetReset === 'latest' ? this.#end : this.#start;
    }
    const fingerprint = isUsable ? (before?.fingerprint ?? '') : '';
    const epoch = Math.max((before?.epoch ?? 0) + 1, timeMs);
    this.#stored = { claim, epoch, committed, fingerprint, owner: memberId, nonce };
    const reset = isUsable ? null : { from: had };
    return { status: 'ACQUIRED', epoch, committed, fingerprint, incarnation: '1-x', ...log, reset };
  }

  commit(fence: Fence, offset: number, fingerprint: string): CommitResult {
    const stored = this.#owned(fence);
    if (stored === null) return this.#fenced();
    if (offset <= stored.committed) return { status: 'COMMITTED', committed: stored.committed };
    if (offset > this.#end) return { status: 'BEYOND_END', logEnd: this.#end };
    this.#stored = { ...stored, committed: offset, fingerprint };
    return { status: 'COMMITTED', committed: offset };
  }

  release(fence: Fence): ReleaseResult {
    const isReleased = this.#stored?.epoch === fence.epoch && this.#stored.nonce === null;
    if (isReleased) return { status: 'RELEASED' };
    const stored = this.#owned(fence);
    if (stored === null) return this.#fenced();
    this.#stored = { ...stored, owner: null, nonce: null };
    return { status: 'RELEASED' };
  }

  seek(fence: Fence, offset: number): SeekResult {
    const stored = this.#owned(fence);
    if (stored === null) return this.#fenced();
    if (offset < this.#start || offset > this.#end) {
      return { status: 'OUT_OF_RANGE', logStart: this.#start, logEnd: this.#end };
    }
    this.#stored = { ...stored, committed: offset, fingerprint: '' };
    return { status: 'SOUGHT', from: stored.committed, committed: offset };
  }

  #owned({ epoch, nonce }: Fence): StoredOwnership | null {
    const stored = this.#stored;
    return stored?.epoch === epoch && stored.nonce === nonce ? stored : null;
  }

  #fenced(): { status: 'FENCED'; epoch: number; owner: string } {
    return { status: 'FENCED', epoch: this.#stored?.epoch ?? 0, owner: this.#stored?.owner ?? '' };
  }
}
