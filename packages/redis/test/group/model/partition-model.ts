/** The rules of a partition's slot once more, for one group, as naively as they can be written down. */
import type {
  AcquireRequest,
  AcquireResult,
  CommitResult,
  Fence,
  Progress,
  ReleaseResult,
  SeekResult,
} from '@millrace/core';

export interface StoredOwnership {
  readonly claim: number;
  readonly epoch: number;
  readonly committed: number;
  readonly fingerprint: string;
  /** What it had before a reset that no commit and no seek has confirmed. */
  readonly resetFrom: number | null;
  /** Both null after a release. */
  readonly owner: string | null;
  readonly nonce: string | null;
}

export class PartitionModel {
  readonly #incarnation: string;
  #start = 0;
  #end = 0;
  #stored: StoredOwnership | null = null;
  /** Who answers: another one after every restart and failover. */
  server = '';

  constructor(incarnation = '1-x') {
    this.#incarnation = incarnation;
  }

  /** The slot as a replica has it that has received everything up to now. */
  clone(): PartitionModel {
    const copy = new PartitionModel(this.#incarnation);
    copy.#start = this.#start;
    copy.#end = this.#end;
    copy.#stored = this.#stored;
    copy.server = this.server;
    return copy;
  }

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
    const incarnation = this.#incarnation;
    const log = { logStart: this.#start, logEnd: this.#end };
    const told = { ...log, incarnation, server: this.server };
    const before = this.#stored;
    if (before !== null) {
      const isTwin = before.claim === claim && before.owner !== null && before.owner !== memberId;
      if (before.claim > claim || isTwin) {
        return { status: 'SUPERSEDED', claim: before.claim, owner: before.owner ?? '' };
      }
      if (before.nonce === nonce) {
        const { epoch, committed, fingerprint, resetFrom } = before;
        const reset = resetFrom === null ? null : { from: resetFrom };
        return { status: 'ACQUIRED', epoch, committed, fingerprint, ...told, reset };
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
    const resetFrom = before?.resetFrom ?? (isUsable ? null : had);
    this.#stored = { claim, epoch, committed, fingerprint, resetFrom, owner: memberId, nonce };
    const reset = isUsable && resetFrom === null ? null : { from: resetFrom };
    return { status: 'ACQUIRED', epoch, committed, fingerprint, ...told, reset };
  }

  commit(fence: Fence, offset: number, fingerprint: string): CommitResult {
    if (fence.server !== this.server) return this.#changed();
    const stored = this.#owned(fence);
    if (stored === null) return this.#fenced();
    if (offset <= stored.committed) return { status: 'COMMITTED', committed: stored.committed };
    if (offset > this.#end) return { status: 'BEYOND_END', logEnd: this.#end };
    this.#stored = { ...stored, committed: offset, fingerprint, resetFrom: null };
    return { status: 'COMMITTED', committed: offset };
  }

  release(fence: Fence): ReleaseResult {
    if (fence.server !== this.server) return this.#changed();
    const isReleased = this.#stored?.epoch === fence.epoch && this.#stored.nonce === null;
    if (isReleased) return { status: 'RELEASED' };
    const stored = this.#owned(fence);
    if (stored === null) return this.#fenced();
    this.#stored = { ...stored, owner: null, nonce: null };
    return { status: 'RELEASED' };
  }

  seek(fence: Fence, offset: number, nextNonce: string): SeekResult {
    if (fence.server !== this.server) return this.#changed();
    const again = this.#owned({ ...fence, nonce: nextNonce });
    if (again !== null) return { status: 'SOUGHT', from: null, committed: again.committed };
    const stored = this.#owned(fence);
    if (stored === null) return this.#fenced();
    if (offset < this.#start || offset > this.#end) {
      return { status: 'OUT_OF_RANGE', logStart: this.#start, logEnd: this.#end };
    }
    this.#stored = { ...stored, committed: offset, fingerprint: '', resetFrom: null, nonce: nextNonce };
    return { status: 'SOUGHT', from: stored.committed, committed: offset };
  }

  progress(): Progress | null {
    return this.#stored === null ? null : { committed: this.#stored.committed, logEnd: this.#end };
  }

  #owned({ epoch, nonce }: Fence): StoredOwnership | null {
    const stored = this.#stored;
    return stored?.epoch === epoch && stored.nonce === nonce ? stored : null;
  }

  #changed(): { status: 'SERVER_CHANGED'; server: string } {
    return { status: 'SERVER_CHANGED', server: this.server };
  }

  #fenced(): { status: 'FENCED'; epoch: number; owner: string } {
    return { status: 'FENCED', epoch: this.#stored?.epoch ?? 0, owner: this.#stored?.owner ?? '' };
  }
}
