/**
 * One member's part in leading its group: as deputy it watches the leader, as candidate it tries for the lock, as
 * leader it finds the dead, computes the assignment and audits. Being wrong about leading costs a computation and
 * nothing else, because every write carries the leader epoch.
 */
import {
  chooseDeputies,
  distrustPresence,
  emptyAssignment,
  initialLiveness,
  MillraceError,
  observeLiveness,
  planAssignment,
  restartLeases,
  untilNextWatchMs,
  type Assignment,
  type Assignor,
  type Clock,
  type GroupSnapshot,
  type GroupStore,
  type GroupView,
  type LeaderView,
  type LivenessState,
  type MemberDescription,
  type Random,
  type Timer,
  type TopicStore,
} from '@millrace/core';
import { auditOwners, type OwnerAudit } from './audit-owners.ts';
import type { Identity } from './ownership.ts';

export interface LeaderPort {
  readonly clock: Clock;
  readonly random: Random;
  readonly group: GroupStore;
  readonly topics: TopicStore;
  identity(): Identity | null;
  onError(error: MillraceError): void;
  onTransportFailure(error: unknown, during: string): void;
  onLeading(isLeading: boolean): void;
}

export interface LeaderSettings {
  readonly assignor: Assignor;
  readonly leaseMs: number;
  /** How long a presence may be gone before it means death; a reconnect must fit. */
  readonly presenceGraceMs: number;
  /** Between two looks of the leader at everybody. */
  readonly watchIntervalMs: number;
  /** Between two looks of one deputy at the leader. */
  readonly deputyWatchIntervalMs: number;
  /** Between two audits, and two looks at the topics. */
  readonly auditIntervalMs: number;
  /** Joins that come together are one rebalance. */
  readonly joinDelayMs: number;
  /** A hand-over that takes longer is forced. */
  readonly handOverTimeoutMs: number;
}

const LOCK_MS = 10_000;
const CAMPAIGN_SPREAD_MS = 500;

interface Reign {
  readonly epoch: number;
  members: ReadonlyMap<string, MemberDescription>;
  generation: number;
  assignment: Assignment;
  topics: ReadonlyMap<string, number>;
  liveness: LivenessState;
  lastWatchMs: number;
  audit: OwnerAudit;
}

export class Leader {
  readonly #port: LeaderPort;
  readonly #settings: LeaderSettings;
  #view: GroupView = {
    generation: 0,
    assignmentGeneration: 0,
    leader: { memberId: '', epoch: 0 },
    deputies: [],
  };
  #reign: Reign | null = null;
  #isStopped = false;
  #campaign: Timer | null = null;
  #watchTimer: Timer | null = null;
  #lockTimer: Timer | null = null;
  #auditTimer: Timer | null = null;
  #joinTimer: Timer | null = null;
  #watchedLeader: { readonly leader: LeaderView; liveness: LivenessState; lastWatchMs: number } | null = null;
  #work: Promise<void> = Promise.resolve();
  #isRebalanceQueued = false;

  constructor(port: LeaderPort, settings: LeaderSettings) {
    this.#port = port;
    this.#settings = settings;
  }

  get isLeading(): boolean {
    return this.#reign !== null;
  }

  /** This member is in the group (again). */
  start(): void {
    this.#isStopped = false;
    this.#campaignIn(LOCK_MS * (0.5 + this.#port.random.next()));
  }

  /** Every answer of the group says where it stands. */
  onView(view: GroupView): void {
    if (this.#isStopped) return;
    this.#view = view;
    if (this.#reign !== null) {
      if (view.leader.epoch > this.#reign.epoch) this.#stepDown();
      else if (view.generation > this.#reign.generation) this.#queueRebalance();
      return;
    }
    if (view.leader.memberId === '') this.#campaignSoon();
    else this.#watchLeader(view.leader);
  }

  onWake(what: string): void {
    if (this.#isStopped) return;
    if (what === 'leader' && this.#reign === null) this.#campaignSoon();
    if (what === 'generation' && this.#reign !== null) this.#queueRebalance();
  }

  /** The command connection was down: what was seen of presence before means nothing. */
  onReconnect(): void {
    const untilMs = this.#port.clock.monotonicMs() + this.#settings.leaseMs;
    if (this.#reign !== null) this.#reign.liveness = distrustPresence(this.#reign.liveness, untilMs);
    if (this.#watchedLeader !== null) {
      this.#watchedLeader.liveness = distrustPresence(this.#watchedLeader.liveness, untilMs);
    }
  }

  /** Leads no longer and does not try to. With `resign` the next leader need not wait. */
  async stop(resign: boolean): Promise<void> {
    this.#isStopped = true;
    const reign = this.#reign;
    const identity = this.#port.identity();
    this.#stepDown();
    for (const timer of [this.#campaign, this.#watchTimer, this.#joinTimer]) timer?.cancel();
    await this.#work;
    if (!resign || reign === null || identity === null) return;
    try {
      await this.#port.group.releaseLock();
      await this.#port.group.depose({ memberId: identity.memberId, epoch: reign.epoch }, 'resigned');
    } catch (error) {
      this.#port.onTransportFailure(error, 'resign');
    }
  }

  // --- candidate ---------------------------------------------------------------------------------------------------

  /** Deputies first: a whole fleet that tries at once is one winner and many wasted commands. */
  #campaignSoon(): void {
    const memberId = this.#port.identity()?.memberId;
    const isFirst = this.#view.deputies.length === 0 || this.#view.deputies.includes(memberId ?? '');
    this.#campaignIn(isFirst ? 0 : CAMPAIGN_SPREAD_MS * (0.5 + this.#port.random.next()));
  }

  #campaignIn(delayMs: number): void {
    this.#campaign?.cancel();
    this.#campaign = this.#port.clock.startTimer(delayMs, () => {
      this.#enqueue('campaign', () => this.#tryToLead());
    });
  }

  async #tryToLead(): Promise<void> {
    const identity = this.#port.identity();
    if (identity === null || this.#reign !== null || this.#isStopped) return;
    // The lock expires by itself, so an attempt now and then is all that is needed when nobody is watched.
    this.#campaignIn(LOCK_MS * (0.75 + this.#port.random.next() / 2));
    if (!(await this.#port.group.tryLock(LOCK_MS))) return;
    const epoch = await this.#port.group.elect(identity.memberId, identity.session);
    if (epoch === null || this.#isStopped) {
      await this.#port.group.releaseLock();
      return;
    }
    await this.#beginReign(epoch);
  }

  // --- deputy ------------------------------------------------------------------------------------------------------

  #watchLeader(leader: LeaderView): void {
    const rank = this.#view.deputies.indexOf(this.#port.identity()?.memberId ?? '');
    if (rank < 0) {
      this.#watchTimer?.cancel();
      this.#watchTimer = null;
      this.#watchedLeader = null;
      return;
    }
    if (this.#watchedLeader?.leader.epoch === leader.epoch) return;
    const nowMs = this.#port.clock.monotonicMs();
    this.#watchedLeader = { leader, liveness: initialLiveness(nowMs), lastWatchMs: nowMs };
    this.#watchLeaderIn(this.#port.random.next() * this.#settings.deputyWatchIntervalMs);
  }

  #watchLeaderIn(delayMs: number): void {
    this.#watchTimer?.cancel();
    this.#watchTimer = this.#port.clock.startTimer(delayMs, () => {
      this.#enqueue('watch of the leader', () => this.#lookAtLeader());
    });
  }

  async #lookAtLeader(): Promise<void> {
    const watched = this.#watchedLeader;
    const identity = this.#port.identity();
    if (watched === null || identity === null || this.#reign !== null || this.#isStopped) return;
    const { deputyWatchIntervalMs, presenceGraceMs, leaseMs } = this.#settings;
    // Set before the look, so that a look that fails is not the last one.
    this.#watchLeaderIn(deputyWatchIntervalMs);
    const { memberId } = watched.leader;
    const watch = await this.#port.group.watch([memberId, identity.memberId]);
    const nowMs = this.#port.clock.monotonicMs();
    if (nowMs - watched.lastWatchMs > leaseMs) watched.liveness = restartLeases(watched.liveness, nowMs);
    watched.lastWatchMs = nowMs;
    // Static or not: a leader that is gone must not hold the group up. It is deposed; its membership is another matter.
    const suspect = new Map([[memberId, { memberId, leaseMs } as MemberDescription]]);
    const seen = observeLiveness(watched.liveness, suspect, watch.signs, identity.memberId, nowMs, {
      presenceGraceMs,
    });
    watched.liveness = seen.state;
    if (seen.dead.length > 0) {
      const outcome = await this.#port.group.depose(watched.leader, 'gone');
      if (outcome !== 'PRESENT') this.#watchedLeader = null;
      if (outcome === 'OK') await this.#tryToLead();
      return;
    }
    this.onView(watch);
    const rank = watch.deputies.indexOf(identity.memberId);
    this.#watchLeaderIn(
      seen.suspects
        ? presenceGraceMs
        : untilNextWatchMs(
            watch.serverTimeMs,
            deputyWatchIntervalMs,
            Math.max(0, rank),
            watch.deputies.length,
          ),
    );
  }

  // --- leader ------------------------------------------------------------------------------------------------------

  async #beginReign(epoch: number): Promise<void> {
    const published = await this.#port.group.readAssignment();
    const nowMs = this.#port.clock.monotonicMs();
    this.#reign = {
      epoch,
      members: new Map(),
      generation: 0,
      assignment: published.assignment,
      topics: new Map(),
      liveness: this.#watchedLeader?.liveness ?? initialLiveness(nowMs),
      lastWatchMs: nowMs,
      audit: { since: new Map() },
    };
    this.#watchedLeader = null;
    this.#campaign?.cancel();
    this.#port.onLeading(true);
    this.#extendLockIn(LOCK_MS / 3);
    this.#auditIn(this.#settings.auditIntervalMs);
    const reign = this.#reign;
    reign.members = (await this.#port.group.snapshot()).members;
    // The former leader is usually dead: found before the first assignment, so that it gets nothing of it.
    await this.#look(reign);
    await this.#rebalance(reign, true);
    this.#watchIn(this.#settings.watchIntervalMs);
  }

  #stepDown(): void {
    if (this.#reign === null) return;
    this.#reign = null;
    for (const timer of [this.#watchTimer, this.#lockTimer, this.#auditTimer, this.#joinTimer])
      timer?.cancel();
    this.#joinTimer = null;
    this.#port.onLeading(false);
    if (!this.#isStopped) this.#campaignIn(LOCK_MS * (0.75 + this.#port.random.next() / 2));
  }

  #extendLockIn(delayMs: number): void {
    this.#lockTimer = this.#port.clock.startTimer(delayMs, () => {
      this.#enqueue('leader lock', async () => {
        if (this.#reign === null) return;
        this.#extendLockIn(LOCK_MS / 3);
        if (!(await this.#port.group.extendLock(LOCK_MS))) this.#stepDown();
      });
    });
  }

  #watchIn(delayMs: number): void {
    this.#watchTimer?.cancel();
    this.#watchTimer = this.#port.clock.startTimer(delayMs, () => {
      this.#enqueue('watch of the members', async () => {
        const reign = this.#reign;
        if (reign === null) return;
        this.#watchIn(this.#settings.watchIntervalMs);
        const { isGroupChanged, hasSuspects } = await this.#look(reign);
        if (hasSuspects) this.#watchIn(this.#settings.presenceGraceMs);
        if (isGroupChanged) await this.#rebalance(reign, true);
      });
    });
  }

  /** One look at everybody; evicts whoever is dead. */
  async #look(reign: Reign): Promise<{ isGroupChanged: boolean; hasSuspects: boolean }> {
    const identity = this.#port.identity();
    if (identity === null) return { isGroupChanged: false, hasSuspects: false };
    const watch = await this.#port.group.watch([...new Set([...reign.members.keys(), identity.memberId])]);
    const nowMs = this.#port.clock.monotonicMs();
    if (watch.leader.epoch !== reign.epoch) {
      this.#stepDown();
      return { isGroupChanged: false, hasSuspects: false };
    }
    // Nobody could be seen for a while: a frozen process, or Redis was away and nobody could renew.
    if (nowMs - reign.lastWatchMs > this.#settings.watchIntervalMs * 5) {
      reign.liveness = restartLeases(reign.liveness, nowMs);
    }
    reign.lastWatchMs = nowMs;
    const { presenceGraceMs } = this.#settings;
    const seen = observeLiveness(reign.liveness, reign.members, watch.signs, identity.memberId, nowMs, {
      presenceGraceMs,
    });
    reign.liveness = seen.state;
    let isGroupChanged = false;
    for (const verdict of seen.dead) {
      if (verdict.memberId === identity.memberId) continue;
      const outcome = await this.#port.group.evict(
        reign.epoch,
        verdict.memberId,
        verdict.beat,
        verdict.reason,
      );
      if (outcome === 'OK' || outcome === 'UNKNOWN_MEMBER') isGroupChanged = true;
    }
    if (watch.generation > reign.generation && reign.generation > 0 && !isGroupChanged)
      this.#queueRebalance();
    return { isGroupChanged, hasSuspects: seen.suspects };
  }

  #queueRebalance(): void {
    if (this.#isRebalanceQueued) return;
    this.#isRebalanceQueued = true;
    this.#enqueue('rebalance', async () => {
      this.#isRebalanceQueued = false;
      if (this.#reign !== null) await this.#rebalance(this.#reign, false);
    });
  }

  /** Computes and publishes, until what is published fits the group as it is. */
  async #rebalance(reign: Reign, isUrgent: boolean): Promise<void> {
    while (this.#reign === reign && !this.#isStopped) {
      const snapshot = await this.#port.group.snapshot();
      if (snapshot.leader.epoch !== reign.epoch) {
        this.#stepDown();
        return;
      }
      reign.members = snapshot.members;
      const topics = await this.#port.topics.partitionCounts();
      if (!isUrgent && this.#waitsForMoreJoins(reign, snapshot)) return;
      if (snapshot.assignmentGeneration === snapshot.generation && reign.generation === snapshot.generation)
        return;

      const identity = this.#port.identity();
      if (identity === null) return;
      const plan = planAssignment(this.#settings.assignor, snapshot, topics, reign.assignment);
      const outcome = await this.#port.group.publish({
        leaderEpoch: reign.epoch,
        generation: snapshot.generation,
        assignment: plan.assignment,
        deputies: chooseDeputies(snapshot.members.values(), identity.memberId),
        moves: plan.moves,
        orphans: plan.orphans,
      });
      if (outcome === 'OK') {
        reign.generation = snapshot.generation;
        reign.assignment = plan.assignment;
        reign.topics = topics;
        return;
      }
    }
  }

  /** Nobody waits for a member that is gone; members that only join can wait a moment for each other. */
  #waitsForMoreJoins(reign: Reign, snapshot: GroupSnapshot): boolean {
    if (this.#settings.joinDelayMs === 0) return false;
    const known = reign.assignment.memberIds;
    const isOnlyJoins =
      known.length < snapshot.members.size && known.every((memberId) => snapshot.members.has(memberId));
    if (!isOnlyJoins) return false;
    this.#joinTimer ??= this.#port.clock.startTimer(this.#settings.joinDelayMs, () => {
      this.#joinTimer = null;
      this.#enqueue('rebalance', async () => {
        if (this.#reign !== null) await this.#rebalance(this.#reign, true);
      });
    });
    return true;
  }

  #auditIn(delayMs: number): void {
    this.#auditTimer = this.#port.clock.startTimer(delayMs, () => {
      this.#enqueue('audit', async () => {
        const reign = this.#reign;
        if (reign === null) return;
        this.#auditIn(this.#settings.auditIntervalMs);
        await this.#audit(reign);
      });
    });
  }

  /** Stuck states that nobody notices are what peers' users report most: here somebody looks, again and again. */
  async #audit(reign: Reign): Promise<void> {
    const topics = await this.#port.topics.partitionCounts();
    if (!sameTopics(reign.topics, topics)) {
      const raised = await this.#port.group.bumpGeneration(
        reign.epoch,
        reign.generation,
        describeChange(reign.topics, topics),
      );
      if (raised !== null) await this.#rebalance(reign, true);
      return;
    }
    const snapshot = await this.#port.group.snapshot();
    reign.members = snapshot.members;
    if (snapshot.generation !== reign.generation) {
      this.#queueRebalance();
      return;
    }
    const nowMs = this.#port.clock.monotonicMs();
    const found = auditOwners(
      reign.audit,
      reign.assignment,
      snapshot,
      nowMs,
      this.#settings.handOverTimeoutMs,
    );
    reign.audit = found.audit;
    for (const overdue of found.overdue) {
      const { partition, target, holder } = overdue;
      if (holder !== null) {
        // Its owner does not let go. The heir's acquire fences it, so taking the claim away is safe.
        await this.#port.group.unclaim(holder.memberId, new Map([[partition, holder.claim]]));
      }
      await this.#port.group.appendEvent(holder === null ? 'partition-unowned' : 'hand-over-forced', {
        partition,
        target,
        ...(holder === null ? {} : { holder: holder.memberId }),
      });
    }
  }

  /** One piece of work at a time: a campaign must not run into the middle of a rebalance. */
  #enqueue(during: string, work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#isStopped) return;
      try {
        await work();
      } catch (error) {
        if (error instanceof MillraceError && !error.retryable) this.#port.onError(error);
        else this.#port.onTransportFailure(error, during);
      }
    });
  }
}

function sameTopics(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): boolean {
  if (before.size !== after.size) return false;
  for (const [topic, partitions] of before) if (after.get(topic) !== partitions) return false;
  return true;
}

function describeChange(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string {
  const changes: string[] = [];
  for (const [topic, partitions] of after) {
    const had = before.get(topic);
    if (had === undefined) changes.push(`${topic} created with ${partitions}`);
    else if (had !== partitions) changes.push(`${topic} from ${had} to ${partitions} partitions`);
  }
  for (const topic of before.keys()) if (!after.has(topic)) changes.push(`${topic} deleted`);
  return changes.slice(0, 10).join(', ');
}
