/**
 * How a partition is given up in order: the call under way finishes or is aborted, what is processed is committed,
 * listeners hear of it, the partition's own slot is released, and then the group's. In this order the next owner can
 * begin no earlier than this one has ended.
 */
import {
  FencedError,
  type Clock,
  type GroupStore,
  type PartitionKey,
  type PartitionStore,
} from '@millrace/core';
import { delay } from '../clock/delay.ts';
import type { ConsumerEmitter } from './consumer-events.ts';
import type { Identity } from './identity.ts';
import type { LaneWorker } from './lane-worker.ts';
import { ownedPartition, type Lane } from './lane.ts';

export interface HeldLane<V> {
  readonly lane: Lane;
  readonly worker: LaneWorker<V>;
}

export interface ReleasePort {
  readonly clock: Clock;
  readonly group: GroupStore;
  readonly partitions: PartitionStore;
  readonly emitter: ConsumerEmitter;
  identity(): Identity | null;
  /** The claim is out of the group's slot. */
  onUnclaimed(key: PartitionKey, claim: number): void;
  onTransportFailure(error: unknown, during: string): void;
}

/** After an abort a well-behaved handler returns at once; one that ignores the signal is not waited for. */
const ABORT_GRACE_MS = 100;
const RETRY_MS = 100;
/** When Redis stays away, the lease runs out and the heir begins at the last commit: nothing is lost. */
const ATTEMPTS = 5;

export class Releases<V> {
  readonly #port: ReleasePort;
  readonly #drainTimeoutMs: number;
  readonly #draining = new Set<Lane>();
  /** Given up in the partition's slot, not yet in the group's: partition → number of the claim. */
  readonly #unclaimed = new Map<PartitionKey, number>();
  #unclaiming: Promise<void> | null = null;
  #announcement: { readonly lanes: Lane[]; readonly made: Promise<void> } | null = null;
  #revokedCount = 0;

  constructor(port: ReleasePort, drainTimeoutMs: number) {
    this.#port = port;
    this.#drainTimeoutMs = drainTimeoutMs;
  }

  /** Lanes on their way out; they can still be lost. */
  get draining(): ReadonlySet<Lane> {
    return this.#draining;
  }

  drainingLane(key: PartitionKey): Lane | undefined {
    for (const lane of this.#draining) if (lane.key === key) return lane;
    return undefined;
  }

  /** How many were revoked since this was asked last. */
  takeRevokedCount(): number {
    const count = this.#revokedCount;
    this.#revokedCount = 0;
    return count;
  }

  /**
   * Resolves when the partition is released or lost. With `keepsClaim` it stays this member's in the group's slot.
   * Answers whether the handler has returned.
   */
  async drain({ lane, worker }: HeldLane<V>, reason: string, keepsClaim: boolean): Promise<boolean> {
    this.#draining.add(lane);
    try {
      lane.beginDrain();
      const hasReturned = await this.#settle(lane, worker);
      await this.#tryFewTimes(lane, `commit of ${lane.key}`, () => lane.commits.flush());
      await this.#announce(lane, reason);
      if (lane.phase !== 'ended') {
        await this.#tryFewTimes(lane, `release of ${lane.key}`, async () => {
          // A seek that a listener has just begun changes what proves the ownership.
          await lane.commits.settled();
          await this.#port.partitions.release(lane.fence);
        });
        lane.end();
      }
      // Lost on the way out, it is still this member's in the group's slot, and its heir waits for that.
      if (!keepsClaim) this.unclaim(lane.key, lane.claim);
      return hasReturned;
    } finally {
      this.#draining.delete(lane);
    }
  }

  /** Takes a claim out of the group's slot. Those of one moment go together. */
  unclaim(key: PartitionKey, claim: number): void {
    this.#unclaimed.set(key, claim);
    this.#unclaiming ??= this.#unclaimAll();
  }

  /** Resolves when no claim is on its way out. */
  async settled(): Promise<void> {
    await this.#unclaiming;
  }

  /** Answers whether the call under way returns within `drainTimeoutMs`. */
  hasSettled(worker: LaneWorker<V>): Promise<boolean> {
    return this.#settlesWithin(worker, this.#drainTimeoutMs);
  }

  async #settle(lane: Lane, worker: LaneWorker<V>): Promise<boolean> {
    if (await this.hasSettled(worker)) return true;
    lane.abort(
      new FencedError(
        'LEASE_LOST',
        `${lane.key} has to be given up, and the handler did not return in drainTimeoutMs`,
        {
          details: { topic: lane.topic, partition: lane.partition, epoch: lane.epoch },
        },
      ),
    );
    return this.#settlesWithin(worker, ABORT_GRACE_MS);
  }

  async #settlesWithin(worker: LaneWorker<V>, timeoutMs: number): Promise<boolean> {
    const stop = new AbortController();
    const settled = worker.settled.then(() => true);
    const isSettled = await Promise.race([
      settled,
      delay(this.#port.clock, timeoutMs, stop.signal).then(() => false),
    ]);
    stop.abort();
    return isSettled;
  }

  async #tryFewTimes(lane: Lane, during: string, call: () => Promise<void>): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS && lane.phase !== 'ended'; attempt++) {
      try {
        await call();
        return;
      } catch (error) {
        this.#port.onTransportFailure(error, during);
        await delay(this.#port.clock, RETRY_MS);
      }
    }
  }

  /** Before the release: what a listener does then happens before the next owner begins. Together, one event. */
  #announce(lane: Lane, reason: string): Promise<void> {
    this.#announcement ??= { lanes: [], made: this.#announceSoon(reason) };
    this.#announcement.lanes.push(lane);
    return this.#announcement.made;
  }

  async #announceSoon(reason: string): Promise<void> {
    await delay(this.#port.clock, 0);
    const lanes = this.#announcement?.lanes.filter((lane) => lane.phase !== 'ended') ?? [];
    this.#announcement = null;
    if (lanes.length === 0) return;
    this.#revokedCount += lanes.length;
    this.#port.emitter.emit('revoked', { partitions: lanes.map(ownedPartition), reason });
  }

  async #unclaimAll(): Promise<void> {
    await Promise.resolve();
    for (let failures = 0; this.#unclaimed.size > 0 && failures < ATTEMPTS;) {
      const claims = new Map(this.#unclaimed);
      this.#unclaimed.clear();
      const identity = this.#port.identity();
      // Not in the group any more: its claims count for nothing.
      if (identity === null) continue;
      try {
        await this.#port.group.unclaim(identity.memberId, claims);
        for (const [key, claim] of claims) this.#port.onUnclaimed(key, claim);
      } catch (error) {
        failures++;
        this.#port.onTransportFailure(error, 'unclaim');
        await delay(this.#port.clock, RETRY_MS);
        // A newer claim of the same partition stands. Given up on, it is found unused by the next reconciliation.
        for (const [key, claim] of claims) if (!this.#unclaimed.has(key)) this.#unclaimed.set(key, claim);
      }
    }
    // With nothing awaited since the look at what is left: whoever adds to it now finds nobody at work and begins anew.
    // (In a `finally` of the caller this ran some microtasks later, and a claim added in between stayed for ever.)
    this.#unclaiming = null;
  }
}
