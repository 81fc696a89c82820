/**
 * One owned partition: what was fetched of it, how far it is processed, how it ends. A lane lives exactly as long as
 * one ownership (one epoch); the partition coming back to the same member is a new lane.
 *
 *   running ──revoke──▶ draining ──handler done or deadline──▶ ended   (committed, released: `revoked`)
 *      └──────────────lost (fenced, evicted, lease over)─────▶ ended   (aborted at once: `lost`)
 *
 * Only `LaneWorker` delivers, only `Fetcher` adds batches; both look at the phase after every await.
 */
import {
  FencedError,
  partitionKey,
  type Clock,
  type CommitResult,
  type DataError,
  type Fence,
  type MillraceError,
  type PartitionKey,
  type PartitionStore,
  type StoredBatch,
} from '@millrace/core';
import { baseOffsetOf, fingerprintOf } from '@millrace/redis';
import type { TrailEntry } from '../truncation/batch-trail.ts';
import { ChangeSignal } from './change-signal.ts';
import type { LostReason, OwnedPartition } from './consumer-events.ts';
import type { DeliveredTrail } from './delivered-trails.ts';
import { OffsetCommits } from './offset-commits.ts';
import { whatIsWrong } from './unreadable-log.ts';

export interface LaneSettings {
  readonly autoCommit: boolean;
  readonly autoCommitIntervalMs: number;
  /** Bytes fetched ahead and not processed yet. */
  readonly maxBufferedBytes: number;
}

export interface LanePort {
  readonly clock: Clock;
  readonly partitions: PartitionStore;
  onLost(lane: Lane, reason: LostReason, commitRefused: boolean): void;
  onError(error: MillraceError): void;
  onTransportFailure(error: unknown, during: string): void;
  /** There is room for more, or the position moved: the fetcher may have to look again. */
  onWantsFetch(lane: Lane): void;
  /** So many bytes more, or fewer, are buffered. */
  onBuffered(bytes: number): void;
  /** It begins or ceases to want records, or wants them from another offset than the last read's answer ended at. */
  onReadChange(): void;
}

export interface Ownership {
  readonly fence: Fence;
  readonly claim: number;
  readonly committed: number;
  readonly logEnd: number;
  /** Of the log that was acquired. */
  readonly incarnation: string;
  readonly trail: DeliveredTrail;
}

/** What an entry is taken for before one was seen: a guess that is too small brings many times what was meant. */
const UNKNOWN_ENTRY_BYTES = 131_072;

export type LanePhase = 'running' | 'draining' | 'ended';

export class Lane implements OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly key: PartitionKey;
  readonly epoch: number;
  readonly claim: number;
  readonly incarnation: string;
  readonly commits: OffsetCommits;
  /** Wakes the worker. */
  readonly changed = new ChangeSignal();

  /** Next record to deliver. */
  position: number;
  /** Next record to fetch. */
  fetchPosition: number;
  /** `fetchPosition` is the end of a batch that was read: the next one begins there, or the log is another one. */
  isAtBatchStart = false;
  /** Raised by every seek: what was under way before it counts for nothing. */
  version = 0;
  isPaused = false;
  /** Set when the partition cannot go on by itself; `seek` or `resume` clears it. */
  halted: MillraceError | null = null;
  /** The last read found nothing more. */
  isAtEnd: boolean;
  /** Called when a worker that waits before a retry has to look again. */
  onInterrupt: (() => void) | null = null;

  readonly #port: LanePort;
  readonly #settings: LaneSettings;
  #fence: Fence;
  readonly #controller = new AbortController();
  readonly signal: AbortSignal = this.#controller.signal;
  readonly #buffer: StoredBatch[] = [];
  #bufferedBytes = 0;
  #phase: LanePhase = 'running';
  /** Of the last batch that is delivered: its bytes would stay in memory for as long as the partition is idle. */
  #lastBatch: TrailEntry | null = null;
  /** Of the last batch that records were handed out of: mostly it is the next one that is delivered. */
  #handedOut: TrailEntry | null = null;
  /** What follows the buffer was trimmed. */
  #isCutOff = false;
  #delivered: number;
  readonly #trail: DeliveredTrail;
  #isCommitDue = false;
  /** Mean size of a stored entry, to bound what one read may bring; 0 before the first. */
  #entryBytes = 0;

  constructor(port: LanePort, settings: LaneSettings, ownership: Ownership) {
    this.#port = port;
    this.#settings = settings;
    this.#fence = ownership.fence;
    this.topic = ownership.fence.topic;
    this.partition = ownership.fence.partition;
    this.key = partitionKey(this.topic, this.partition);
    this.epoch = ownership.fence.epoch;
    this.claim = ownership.claim;
    this.incarnation = ownership.incarnation;
    this.position = ownership.committed;
    this.#delivered = ownership.committed;
    this.#trail = ownership.trail;
    this.fetchPosition = ownership.committed;
    this.isAtEnd = ownership.committed >= ownership.logEnd;
    this.commits = new OffsetCommits(
      {
        clock: port.clock,
        commit: (offset) => port.partitions.commit(this.#fence, offset, this.#fingerprint(offset)),
        onRefused: (result) => this.#onRefused(result),
        onFailure: (error) => port.onTransportFailure(error, `commit of ${this.key}`),
      },
      ownership.committed,
      settings.autoCommitIntervalMs,
    );
  }

  /** What proves the ownership now: every seek changes it. */
  get fence(): Fence {
    return this.#fence;
  }

  get phase(): LanePhase {
    return this.#phase;
  }

  /** Behind the last record that a handler was given: nothing beyond may be committed. */
  get delivered(): number {
    return this.#delivered;
  }

  get entryBytes(): number {
    return this.#entryBytes === 0 ? UNKNOWN_ENTRY_BYTES : this.#entryBytes;
  }

  /** What one read may bring, roughly, so that no more than the settings say is buffered. */
  get maxReadBytes(): number {
    return this.#settings.maxBufferedBytes / 2;
  }

  get maxBufferedBytes(): number {
    return this.#settings.maxBufferedBytes;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /**
   * At half of what it may hold: with small entries, asking for each one that was delivered would be a read for each. Not
   * while it is paused: what a thousand paused partitions hold ahead would be memory for nothing.
   */
  get wantsFetch(): boolean {
    return this.mayDeliver && !this.#isCutOff && this.#hasRoom;
  }

  get #hasRoom(): boolean {
    return this.#bufferedBytes < this.#settings.maxBufferedBytes / 2;
  }

  get mayDeliver(): boolean {
    return this.#phase === 'running' && !this.isPaused && this.halted === null;
  }

  /** The oldest batch not fully delivered. */
  get head(): StoredBatch | undefined {
    return this.#buffer[0];
  }

  /** Batches behind the head, for handlers that take many at once. */
  get buffered(): readonly StoredBatch[] {
    return this.#buffer;
  }

  /** Takes what a read brought: the read has checked that it continues the log where this lane stands. */
  accept(batch: StoredBatch): void {
    if (this.#phase !== 'running' || batch.nextOffset <= this.fetchPosition) return;
    this.#buffer.push(batch);
    this.#setBuffered(this.#bufferedBytes + batch.bytes.length);
    const { length } = batch.bytes;
    this.#entryBytes = this.#entryBytes === 0 ? length : this.#entryBytes + (length - this.#entryBytes) / 8;
    this.fetchPosition = batch.nextOffset;
    this.isAtBatchStart = true;
    this.changed.notify();
  }

  /** The records before `next` are in a handler's hands. What they were is remembered, should the log go back. */
  handOut(next: number): void {
    this.#delivered = next;
    const { batches, delivered } = this.#trail;
    if (next > delivered) this.#trail.delivered = next;
    if (next <= batches.end) return;
    for (const batch of this.#buffer) {
      if (baseOffsetOf(batch) >= next) break;
      if (batch.nextOffset > batches.end) batches.add((this.#handedOut = trailEntry(batch)));
    }
  }

  /** The log does not go on where this lane stands. */
  async onUnreadable(error: DataError): Promise<void> {
    const { version } = this;
    const what = await whatIsWrong(this.#port.partitions, this, error);
    // Sought meanwhile: it stands elsewhere.
    if (this.version !== version) return;
    if (what === 'halt') this.halt(error);
    // What was fetched before it was trimmed is not lost: it is delivered first.
    else if (error.code === 'OFFSET_OUT_OF_RANGE' && this.#phase === 'running') this.#cutOff();
    // Acquiring anew tells what was lost, and applies the policies to it.
    else this.lose('log-changed');
  }

  #cutOff(): void {
    this.#isCutOff = true;
    this.#port.onReadChange();
    if (this.#buffer.length === 0) void this.#acquireAnew();
  }

  /** The acquire tells what was lost from the committed offset on: all that was delivered is committed before. */
  async #acquireAnew(): Promise<void> {
    const { version } = this;
    if (this.#settings.autoCommit) await this.commits.flush().catch(() => {});
    // Sought meanwhile, to a place that the log may hold.
    if (this.#phase === 'running' && this.version === version) this.lose('log-changed');
  }

  /** The head is delivered. */
  shift(): void {
    const batch = this.#buffer.shift();
    if (batch === undefined) return;
    const wanted = this.wantsFetch;
    this.#lastBatch = this.#handedOut?.nextOffset === batch.nextOffset ? this.#handedOut : trailEntry(batch);
    this.#setBuffered(this.#bufferedBytes - batch.bytes.length);
    if (this.#isCutOff && this.#buffer.length === 0) void this.#acquireAnew();
    else if (this.wantsFetch && (!wanted || this.#bufferedBytes === 0)) this.#port.onWantsFetch(this);
  }

  /** Everything before `offset` is processed. */
  processed(offset: number): void {
    this.position = offset;
    if (!this.#settings.autoCommit) return;
    this.commits.note(offset);
    if (!this.#isCommitDue && !this.commits.isScheduled) void this.#scheduleCommit();
  }

  /**
   * Not before the event loop has turned: a handler that is fast would have its first record committed alone, and with many
   * partitions that would be half of all commits.
   */
  async #scheduleCommit(): Promise<void> {
    this.#isCommitDue = true;
    await this.#port.clock.nextTurn();
    this.#isCommitDue = false;
    this.commits.schedule();
  }

  pause(): void {
    this.isPaused = true;
    this.#port.onReadChange();
    this.onInterrupt?.();
  }

  halt(error: MillraceError): void {
    this.halted = error;
    this.#port.onReadChange();
    this.#port.onError(error);
  }

  resume(): void {
    this.isPaused = false;
    this.halted = null;
    this.#port.onReadChange();
    this.changed.notify();
    this.#port.onWantsFetch(this);
  }

  /**
   * It was sought to `offset`: from now on the worker delivers from there, and what it has under way is not counted.
   * `nonce` proves the ownership from now on.
   */
  restartAt(offset: number, nonce: string): void {
    this.#fence = { ...this.#fence, nonce };
    this.version++;
    this.#buffer.length = 0;
    this.#setBuffered(0);
    this.#lastBatch = null;
    this.#handedOut = null;
    this.position = offset;
    this.#delivered = offset;
    this.fetchPosition = offset;
    this.isAtBatchStart = false;
    this.isAtEnd = false;
    this.#isCutOff = false;
    this.halted = null;
    this.#port.onReadChange();
    this.onInterrupt?.();
    this.changed.notify();
    this.#port.onWantsFetch(this);
  }

  /** No new record is delivered; the one under way may finish. */
  beginDrain(): void {
    if (this.#phase !== 'running') return;
    this.#phase = 'draining';
    this.#port.onReadChange();
    this.onInterrupt?.();
    this.changed.notify();
  }

  abort(reason: MillraceError): void {
    this.#controller.abort(reason);
  }

  end(): void {
    this.#phase = 'ended';
    this.#port.onReadChange();
    this.commits.close();
    this.#buffer.length = 0;
    this.#setBuffered(0);
    this.onInterrupt?.();
    this.changed.notify();
  }

  /** Somebody else owns it, or may: stop at once, commit nothing. */
  lose(reason: LostReason, commitRefused = false): void {
    if (this.#phase === 'ended') return;
    this.end();
    this.abort(
      new FencedError(reason === 'fenced' ? 'FENCED' : 'LEASE_LOST', `${this.key} is lost: ${reason}`, {
        details: { topic: this.topic, partition: this.partition, epoch: this.epoch },
      }),
    );
    this.#port.onLost(this, reason, commitRefused);
  }

  #onRefused(result: Exclude<CommitResult, { status: 'COMMITTED' }>): void {
    switch (result.status) {
      case 'FENCED':
        this.lose('fenced', true);
        break;
      case 'SERVER_CHANGED':
        this.lose('server-changed', true);
        break;
      case 'BEYOND_END':
        this.lose('log-changed', true);
        break;
      default:
        result satisfies never;
    }
  }

  #setBuffered(bytes: number): void {
    this.#port.onBuffered(bytes - this.#bufferedBytes);
    const hadRoom = this.#hasRoom;
    this.#bufferedBytes = bytes;
    if (this.#hasRoom !== hadRoom) this.#port.onReadChange();
  }

  /** Of the batch that holds the record before `offset`, when it is still at hand. */
  #fingerprint(offset: number): string {
    const head = this.#buffer[0];
    if (head !== undefined && offset > baseOffsetOf(head) && offset <= head.nextOffset)
      return fingerprintOf(head);
    const last = this.#lastBatch;
    return last !== null && offset > last.baseOffset && offset <= last.nextOffset ? last.fingerprint : '';
  }
}

function trailEntry(batch: StoredBatch): TrailEntry {
  return {
    baseOffset: baseOffsetOf(batch),
    nextOffset: batch.nextOffset,
    fingerprint: fingerprintOf(batch),
  };
}

/** What events tell of a lane. */
export function ownedPartition({ topic, partition, epoch }: Lane): OwnedPartition {
  return { topic, partition, epoch };
}
