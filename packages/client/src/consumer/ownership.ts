/**
 * Brings what this member owns to what it is assigned: revokes, drains and releases what goes, claims and acquires
 * what comes, and does not touch what stays. One pass at a time; a change that arrives during one starts another.
 */
import {
  reconcile,
  type Clock,
  type GroupStore,
  type GroupView,
  type MillraceError,
  type PartitionKey,
  type PartitionStore,
  type Random,
  type Target,
  type Timer,
} from '@millrace/core';
import { isLaterIncarnation } from '@millrace/redis';
import { delay } from '../clock/delay.ts';
import type { TruncationPolicy } from '../truncation/log-truncated.ts';
import { Acquisitions, type AcquisitionSettings } from './acquisitions.ts';
import { Claims } from './claims.ts';
import type { AssignedPartition, ConsumerEmitter, LostReason } from './consumer-events.ts';
import { DeliveredTrails } from './delivered-trails.ts';
import type { Identity } from './identity.ts';
import { ownedPartition, type Lane } from './lane.ts';
import type { LaneWorker } from './lane-worker.ts';
import { Releases, type HeldLane } from './releases.ts';

export interface OwnershipPort<V> {
  readonly clock: Clock;
  readonly random: Random;
  readonly group: GroupStore;
  readonly partitions: PartitionStore;
  readonly emitter: ConsumerEmitter;
  /** Null while this member is in no group. */
  identity(): Identity | null;
  /** Every answer of the group tells where it stands. */
  onView(view: GroupView): void;
  /** False while the lease is in doubt: nothing may be taken then. */
  mayOwn(): boolean;
  isPaused(key: PartitionKey): boolean;
  startWorker(lane: Lane): LaneWorker<V>;
  onUnknownMember(): void;
  onError(error: MillraceError): void;
  onTransportFailure(error: unknown, during: string): void;
  onWantsFetch(lane: Lane): void;
}

export interface OwnershipSettings extends AcquisitionSettings {
  readonly onLogTruncated: TruncationPolicy;
  readonly drainTimeoutMs: number;
}

const RETRY_MS = 100;
/** Wake-ups can be lost: how often to look for a partition that its owner has not released yet. */
const HELD_POLL_MS = 250;

export class Ownership<V> {
  readonly #port: OwnershipPort<V>;
  readonly #trails: DeliveredTrails;
  readonly #acquisitions: Acquisitions;
  readonly #held = new Map<PartitionKey, HeldLane<V>>();
  /** Being drained, or given up while an old handler call has not come back. */
  readonly #busy = new Map<PartitionKey, Promise<void>>();
  readonly #claims: Claims<V>;
  /** What `close` waits for. Other than `#busy`, bounded by `drainTimeoutMs` whatever a handler does. */
  readonly #endings = new Set<Promise<boolean>>();
  readonly #releases: Releases<V>;
  #lost: { lanes: Lane[]; reason: LostReason; commitRefused: boolean } | null = null;
  #poll: Timer | null = null;
  #isDirty = false;
  #pass: Promise<void> | null = null;
  #isClosed = false;
  #keepsClaims = false;
  #joinedGeneration = 0;
  #appliedGeneration = 0;
  #assignedCount = 0;
  #bufferedBytes = 0;
  #lanesRevision = 0;

  constructor(port: OwnershipPort<V>, settings: OwnershipSettings) {
    this.#port = port;
    const onUnclaimed = (key: PartitionKey, claim: number): void => this.#claims.onUnclaimed(key, claim);
    this.#releases = new Releases<V>({ ...port, onUnclaimed }, settings.drainTimeoutMs);
    const { clock, random, partitions } = port;
    const onError = (error: MillraceError): void => port.onError(error);
    const onTransportFailure = (error: unknown, during: string): void =>
      port.onTransportFailure(error, during);
    this.#trails = new DeliveredTrails(
      {
        clock,
        partitions,
        onTransportFailure,
        onTruncated(event, error) {
          port.emitter.emit('logTruncated', event);
          port.onError(error);
        },
      },
      settings.group,
      settings.onLogTruncated,
    );
    this.#acquisitions = new Acquisitions(
      {
        random,
        partitions,
        trails: this.#trails,
        lane: {
          clock,
          partitions,
          onLost: (lane, reason, commitRefused) => this.#onLost(lane, reason, commitRefused),
          onError,
          onTransportFailure,
          onWantsFetch: (lane) => port.onWantsFetch(lane),
          onBuffered: (bytes) => {
            this.#bufferedBytes += bytes;
          },
          onReadChange: () => {
            this.#lanesRevision++;
          },
        },
        onError,
        onTrimmed: (event) => void port.emitter.emit('recordsTrimmed', event),
        onUnknownPartition: (key, claim) => this.#releases.unclaim(key, claim),
      },
      settings,
    );
    this.#claims = new Claims<V>(
      {
        group: port.group,
        partitions,
        identity: () => port.identity(),
        isClosed: () => this.#isClosed,
        isHeld: (key) => this.#held.has(key),
        onUnknownMember: () => port.onUnknownMember(),
        onAcquired: (lanes, generation) => this.#start(lanes, generation),
      },
      this.#acquisitions,
      this.#releases,
    );
  }

  /** Generation of the assignment that was read last. */
  get appliedGeneration(): number {
    return this.#appliedGeneration;
  }

  /** Also one that is being drained: the handler that is waited for may still commit. */
  lane(key: PartitionKey): Lane | undefined {
    return this.#held.get(key)?.lane ?? this.#releases.drainingLane(key);
  }

  /** Fetched and not processed yet, all partitions together. Summing it up for each read would grow with their number. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /**
   * Rises whenever `lanes` gives others, and whenever one of them begins or ceases to want records, or was sought: what reads
   * ask for is worked out anew only then.
   */
  get lanesRevision(): number {
    return this.#lanesRevision;
  }

  *lanes(): Generator<Lane> {
    for (const { lane } of this.#held.values()) yield lane;
  }

  /** What is owned, and what is being drained. */
  *unreleasedLanes(): Generator<Lane> {
    yield* this.lanes();
    yield* this.#releases.draining;
  }

  *workers(): Generator<{ readonly lane: Lane; readonly worker: LaneWorker<V> }> {
    yield* this.#held.values();
  }

  /**
   * The member has joined: assignments of before do not concern it. `claims` are those that a static member's
   * predecessor has left to it.
   */
  begin(generation: number, claims: ReadonlyMap<PartitionKey, number>): void {
    this.#joinedGeneration = generation;
    this.#appliedGeneration = 0;
    this.#claims.begin(claims);
  }

  /** The assignment may have changed, or a partition may have been released. */
  request(): void {
    this.#isDirty = true;
    if (this.#isClosed) return;
    this.#pass ??= this.#run().finally(() => {
      this.#pass = null;
      if (this.#isDirty && !this.#isClosed) this.request();
    });
  }

  /** Everything, or what is affected, is somebody else's, or may be. */
  loseAll(reason: LostReason, isAffected: (partition: PartitionKey) => boolean = () => true): void {
    for (const lane of this.unreleasedLanes()) if (isAffected(lane.key)) lane.lose(reason);
    this.#appliedGeneration = 0;
    if (reason !== 'server-changed') return;
    // Also what others own by now.
    this.#trails.suspect(isAffected);
    this.#claims.suspect();
    this.request();
  }

  /**
   * Drains and releases everything; no new partition is taken afterwards. With `keepClaims` the partitions stay this
   * member's in the group's slot: a static member comes back for them.
   */
  async close(reason: string, keepClaims: boolean): Promise<void> {
    this.#isClosed = true;
    this.#keepsClaims = keepClaims;
    this.#poll?.cancel();
    this.#trails.close();
    await this.#pass;
    this.#revoke([...this.#held.keys()], reason);
    await Promise.all(this.#endings);
    await this.#releases.settled();
  }

  async #run(): Promise<void> {
    while (this.#isDirty && !this.#isClosed) {
      this.#isDirty = false;
      try {
        await this.#reconcileOnce();
      } catch (error) {
        this.#port.onTransportFailure(error, 'reconcile');
        this.#isDirty = true;
        await delay(this.#port.clock, RETRY_MS);
      }
    }
  }

  async #reconcileOnce(): Promise<void> {
    const identity = this.#port.identity();
    if (identity === null) return;
    if (!this.#port.mayOwn()) {
      // Nobody says when the lease is good again, and the wake-up that brought us here does not come twice.
      this.#lookAgainSoon();
      return;
    }
    const target = await this.#port.group.readTarget(identity.memberId);
    if (this.#port.identity() !== identity || this.#isClosed) return;
    this.#port.onView(target);

    this.#loseRecreated(target);
    const decision = reconcile(new Set(this.#held.keys()), new Set(this.#busy.keys()), target.partitions);
    this.#revoke(
      decision.revoke,
      `not assigned to this member any more, since generation ${target.assignmentGeneration}`,
    );
    await this.#claims.lookUp(identity);
    if (this.#port.identity() !== identity || this.#isClosed) return;
    this.#claims.giveUnusedBack(target.partitions);
    const awaited = new Set(target.partitions);
    this.#trails.verifyOthers((key) => awaited.has(key));
    const wanted = decision.claim.filter(
      (key) => !this.#acquisitions.isRefused(key, target.assignmentGeneration),
    );
    const outcome = await this.#claims.take(identity, target.assignmentGeneration, wanted);
    if (outcome === 'again') {
      this.#isDirty = true;
      return;
    }
    if (outcome === 'waiting') this.#lookAgainSoon();
    this.#noteApplied(target.assignmentGeneration, outcome === 'complete');
  }

  /**
   * The topic was deleted and created again: this member stands in a log that is no more, at offsets that mean nothing in
   * the new one. A lane that was acquired after the assignment was computed knows better than it.
   */
  #loseRecreated({ incarnations }: Target): void {
    for (const lane of this.unreleasedLanes()) {
      const incarnation = incarnations.get(lane.topic);
      if (incarnation !== undefined && isLaterIncarnation(incarnation, lane.incarnation))
        lane.lose('log-changed');
    }
  }

  #start(lanes: readonly Lane[], generation: number): void {
    if (lanes.length === 0) return;
    this.#assignedCount += lanes.length;
    const partitions: AssignedPartition[] = lanes.map((lane) => ({
      ...ownedPartition(lane),
      offset: lane.position,
    }));
    // Before the first delivery, so that a listener can prepare what the handler needs.
    this.#port.emitter.emit('assigned', { generation, partitions, reason: `generation ${generation}` });
    for (const lane of lanes) {
      if (this.#port.isPaused(lane.key)) lane.pause();
      this.#held.set(lane.key, { lane, worker: this.#port.startWorker(lane) });
    }
    this.#lanesRevision++;
    for (const lane of lanes) this.#port.onWantsFetch(lane);
  }

  #revoke(keys: readonly PartitionKey[], reason: string): void {
    for (const key of keys) {
      const held = this.#held.get(key);
      if (held === undefined) continue;
      this.#held.delete(key);
      this.#lanesRevision++;
      this.#occupy(key, this.#drain(held, reason));
    }
  }

  async #drain(held: HeldLane<V>, reason: string): Promise<void> {
    const hasReturned = await this.#ending(this.#releases.drain(held, reason, this.#keepsClaims));
    // The call of the old ownership still runs: the partition must not come back before it has ended.
    if (!hasReturned && !this.#isClosed) await held.worker.settled;
  }

  #ending(work: Promise<boolean>): Promise<boolean> {
    const ending = work.finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
    return ending;
  }

  /** Keeps the partition from being taken again until `work` is over. */
  #occupy(key: PartitionKey, work: Promise<void>): void {
    const busy = work.finally(() => {
      if (this.#busy.get(key) !== busy) return;
      this.#busy.delete(key);
      this.request();
    });
    this.#busy.set(key, busy);
  }

  #onLost(lane: Lane, reason: LostReason, commitRefused: boolean): void {
    if (reason === 'server-changed' || reason === 'log-changed')
      this.#trails.suspect((key) => key === lane.key);
    const held = this.#held.get(lane.key);
    if (held?.lane === lane) {
      this.#held.delete(lane.key);
      this.#lanesRevision++;
      // The handler call under way is of the old ownership: until it is back, the partition is not taken again.
      this.#occupy(lane.key, held.worker.settled);
      void this.#ending(this.#releases.hasSettled(held.worker));
    }
    if (this.#lost !== null && this.#lost.reason === reason) {
      this.#lost.lanes.push(lane);
      return;
    }
    const lost = { lanes: [lane], reason, commitRefused };
    this.#lost = lost;
    // Everything that is lost for one reason at one time is one event.
    queueMicrotask(() => {
      if (this.#lost === lost) this.#lost = null;
      this.#port.emitter.emit('lost', { partitions: lost.lanes.map(ownedPartition), reason, commitRefused });
    });
    this.request();
  }

  #lookAgainSoon(): void {
    if (this.#isClosed) return;
    this.#poll?.cancel();
    this.#poll = this.#port.clock.startTimer(HELD_POLL_MS, () => this.request());
  }

  #noteApplied(generation: number, isComplete: boolean): void {
    const isNew = generation > this.#appliedGeneration && generation >= this.#joinedGeneration;
    this.#appliedGeneration = generation;
    if (!isComplete || this.#busy.size > 0) return;
    const revoked = this.#releases.takeRevokedCount();
    if (!isNew && this.#assignedCount === 0 && revoked === 0) return;
    this.#port.emitter.emit('rebalanced', {
      generation,
      assigned: this.#assignedCount,
      revoked,
      owned: this.#held.size,
    });
    this.#assignedCount = 0;
  }
}
