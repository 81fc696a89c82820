/**
 * One term of one leader: finds the dead, computes and publishes assignments, audits. Every write carries the term's
 * leader epoch; the first one that is refused ends the term.
 */
import {
  beginLook,
  chooseDeputies,
  distrustPresence,
  isSameDistribution,
  observeLiveness,
  parsePartitionKey,
  planAssignment,
  type Assignment,
  type GroupSnapshot,
  type GroupView,
  type LivenessState,
  type MemberDescription,
  type Timer,
  type TopicCatalogue,
} from '@millrace/core';
import { auditOwners, type OwnerAudit } from './audit-owners.ts';
import { ProgressAudit } from './progress-audit.ts';
import { describeTopicChange, hasSameTopics, incarnationsOf } from './topic-change.ts';
import {
  AUDIT_INTERVAL_MS,
  JOIN_DELAY_MS,
  LOCK_MS,
  PRESENCE_GRACE_MS,
  PROGRESS_LOOKS_PER_AUDIT,
  STALL_MS,
  SWEEP_UNDECIDED_MS,
  WATCH_INTERVAL_MS,
  type LeaderPort,
  type LeaderSettings,
} from './leader-settings.ts';
import type { SerialWork } from './serial-work.ts';
import { Sweep } from './sweep.ts';

export interface ReignPort extends LeaderPort {
  /** Somebody else leads. */
  onDeposed(): void;
}

type Task = 'watch' | 'lock' | 'audit' | 'joins' | 'sweep';

const BLIND_MS = 5 * WATCH_INTERVAL_MS;

export class Reign {
  readonly epoch: number;
  readonly memberId: string;

  readonly #port: ReignPort;
  readonly #settings: LeaderSettings;
  readonly #work: SerialWork;
  readonly #timers = new Map<Task, Timer>();
  #members: ReadonlyMap<string, MemberDescription> = new Map();
  /** Generation of what this term has published last; 0 before the first. */
  #generation = 0;
  #assignment: Assignment;
  /** Of the topics in it. */
  #incarnations: ReadonlyMap<string, string>;
  /** As of the last publication. */
  #topics: TopicCatalogue = new Map();
  #liveness: LivenessState;
  #audit: OwnerAudit = { since: new Map() };
  readonly #progress = new ProgressAudit(STALL_MS);
  readonly #sweep: Sweep;
  #isRebalanceQueued = false;
  #isOver = false;

  constructor(
    port: ReignPort,
    settings: LeaderSettings,
    work: SerialWork,
    begin: {
      readonly memberId: string;
      readonly epoch: number;
      readonly assignment: Assignment;
      readonly incarnations: ReadonlyMap<string, string>;
      readonly liveness: LivenessState;
    },
  ) {
    this.#port = port;
    this.#settings = settings;
    this.#work = work;
    this.memberId = begin.memberId;
    this.epoch = begin.epoch;
    this.#assignment = begin.assignment;
    this.#incarnations = begin.incarnations;
    this.#liveness = begin.liveness;
    this.#sweep = new Sweep({
      partitions: port.partitions,
      random: () => port.random.next(),
      onDenied: (error) => port.onError(error),
    });
  }

  async begin(): Promise<void> {
    this.#extendLockIn(LOCK_MS / 3);
    this.#auditIn(AUDIT_INTERVAL_MS);
    this.#watchIn(WATCH_INTERVAL_MS);
    this.#sweepIn(SWEEP_UNDECIDED_MS);
    this.#members = (await this.#port.group.snapshot()).members;
    // The former leader is usually dead: found before the first assignment, so that it gets nothing of it.
    const { isGroupChanged } = await this.#look();
    await this.#rebalance(isGroupChanged);
  }

  onGeneration(generation: number): void {
    if (generation > this.#generation) this.queueRebalance();
  }

  queueRebalance(): void {
    if (this.#isRebalanceQueued) return;
    this.#isRebalanceQueued = true;
    this.#work.add('rebalance', async () => {
      this.#isRebalanceQueued = false;
      await this.#rebalance(false);
    });
  }

  distrustPresence(untilMs: number): void {
    this.#liveness = distrustPresence(this.#liveness, untilMs);
  }

  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #runIn(task: Task, delayMs: number, during: string, run: () => Promise<void>): void {
    if (this.#isOver) return;
    this.#timers.get(task)?.cancel();
    const timer = this.#port.clock.startTimer(delayMs, () => {
      this.#timers.delete(task);
      this.#work.add(during, async () => {
        if (!this.#isOver) await run();
      });
    });
    this.#timers.set(task, timer);
  }

  #extendLockIn(delayMs: number): void {
    this.#runIn('lock', delayMs, 'leader lock', async () => {
      this.#extendLockIn(LOCK_MS / 3);
      if (!(await this.#port.group.extendLock(LOCK_MS))) this.#port.onDeposed();
    });
  }

  // --- who is dead -------------------------------------------------------------------------------------------------

  #watchIn(delayMs: number): void {
    this.#runIn('watch', delayMs, 'watch of the members', async () => {
      // Set before the look, so that a look that fails is not the last one.
      this.#watchIn(WATCH_INTERVAL_MS);
      const { isGroupChanged, hasSuspects } = await this.#look();
      if (hasSuspects) this.#watchIn(PRESENCE_GRACE_MS);
      if (isGroupChanged) await this.#rebalance(true);
    });
  }

  /** One look at everybody; evicts whoever is dead. */
  async #look(): Promise<{ readonly isGroupChanged: boolean; readonly hasSuspects: boolean }> {
    const nothing = { isGroupChanged: false, hasSuspects: false };
    const identity = this.#port.identity();
    if (identity === null) return nothing;
    const watch = await this.#port.group.watch([...new Set([...this.#members.keys(), identity.memberId])]);
    if (watch.leader.epoch !== this.epoch) {
      this.#port.onDeposed();
      return nothing;
    }
    const nowMs = this.#port.clock.monotonicMs();
    // In a Cluster the slot can move to another server without a connection of ours breaking.
    this.#liveness = beginLook(this.#liveness, {
      server: watch.server,
      nowMs,
      blindMs: BLIND_MS,
      leaseMs: this.#settings.leaseMs,
    });
    const seen = observeLiveness(this.#liveness, this.#members, watch.signs, identity.memberId, nowMs, {
      presenceGraceMs: PRESENCE_GRACE_MS,
    });
    this.#liveness = seen.state;
    let isGroupChanged = false;
    for (const { memberId, beat, reason } of seen.dead) {
      if (memberId === identity.memberId) continue;
      const outcome = await this.#port.group.evict(this.epoch, memberId, beat, reason);
      if (outcome === 'OK' || outcome === 'UNKNOWN_MEMBER') isGroupChanged = true;
    }
    // A wake-up was lost: somebody came or went unnoticed. Or a failover took back what was published.
    if (!isGroupChanged && this.#generation > 0 && !this.#isPublished(watch)) this.queueRebalance();
    return { isGroupChanged, hasSuspects: seen.suspects };
  }

  // --- who gets what -----------------------------------------------------------------------------------------------

  /** Computes and publishes, until what is published fits the group as it is. */
  async #rebalance(isUrgent: boolean): Promise<void> {
    while (!this.#isOver) {
      const snapshot = await this.#port.group.snapshot();
      if (snapshot.leader.epoch !== this.epoch) {
        this.#port.onDeposed();
        return;
      }
      this.#members = snapshot.members;
      if (!isUrgent && this.#waitsForMoreJoins(snapshot)) return;
      if (this.#isPublished(snapshot)) return;
      if ((await this.#publish(snapshot)) === 'OK') return;
    }
  }

  async #publish(snapshot: GroupSnapshot): Promise<'OK' | 'STALE'> {
    const topics = await this.#port.topics.catalogue();
    const counts = new Map([...topics].map(([topic, { partitions }]) => [topic, partitions]));
    const plan = planAssignment(this.#settings.assignor, snapshot, counts, this.#assignment);
    const incarnations = incarnationsOf(topics, plan.assignment);
    // Members look at the generation: of two assignments for one, who misses a wake-up would keep the first for ever.
    if (
      snapshot.assignmentGeneration === snapshot.generation &&
      this.#isNews(plan.assignment, incarnations)
    ) {
      await this.#port.group.bumpGeneration(this.epoch, snapshot.generation, 'seen by a new leader');
      return 'STALE';
    }
    const outcome = await this.#port.group.publish({
      leaderEpoch: this.epoch,
      generation: snapshot.generation,
      assignment: plan.assignment,
      incarnations,
      deputies: chooseDeputies(snapshot.members.values(), snapshot.leader.memberId),
      moves: plan.moves,
      orphans: plan.orphans,
    });
    if (outcome === 'OK') {
      this.#generation = snapshot.generation;
      this.#assignment = plan.assignment;
      this.#incarnations = incarnations;
      this.#topics = topics;
      // Not only by the next audit: producers may wait for this group to make room.
      this.#sweepTopics(topics);
    }
    return outcome;
  }

  #isPublished({ generation, assignmentGeneration }: GroupView): boolean {
    return generation === this.#generation && assignmentGeneration === this.#generation;
  }

  #isNews(assignment: Assignment, incarnations: ReadonlyMap<string, string>): boolean {
    if (!isSameDistribution(this.#assignment, assignment)) return true;
    for (const [topic, incarnation] of incarnations) {
      if (this.#incarnations.get(topic) !== incarnation) return true;
    }
    return false;
  }

  /** Nobody waits for a member that is gone; members that only join can wait a moment for each other. */
  #waitsForMoreJoins(snapshot: GroupSnapshot): boolean {
    const known = this.#assignment.memberIds;
    const isOnlyJoins =
      known.length < snapshot.members.size && known.every((memberId) => snapshot.members.has(memberId));
    if (!isOnlyJoins) return false;
    if (!this.#timers.has('joins'))
      this.#runIn('joins', JOIN_DELAY_MS, 'rebalance', () => this.#rebalance(true));
    return true;
  }

  // --- what is stuck -----------------------------------------------------------------------------------------------

  #auditIn(delayMs: number): void {
    this.#runIn('audit', delayMs, 'audit', async () => {
      this.#auditIn(AUDIT_INTERVAL_MS);
      await this.#auditGroup();
    });
  }

  /** Stuck states that nobody notices are what peers' users report most: here somebody looks, again and again. */
  async #auditGroup(): Promise<void> {
    if (this.#generation === 0) {
      // The first assignment failed: an assignor that threw, a connection that broke.
      await this.#rebalance(true);
      return;
    }
    const topics = await this.#port.topics.catalogue();
    this.#sweepTopics(topics);
    if (!hasSameTopics(this.#topics, topics)) {
      const what = describeTopicChange(this.#topics, topics);
      const raised = await this.#port.group.bumpGeneration(this.epoch, this.#generation, what);
      if (raised === null) this.queueRebalance();
      else await this.#rebalance(true);
      return;
    }
    const snapshot = await this.#port.group.snapshot();
    this.#members = snapshot.members;
    if (!this.#isPublished(snapshot)) {
      this.queueRebalance();
      return;
    }
    await this.#auditPartitions(snapshot);
    await this.#auditProgress(snapshot);
  }

  async #auditProgress(snapshot: GroupSnapshot): Promise<void> {
    const owned = [...snapshot.owners.keys()];
    for (const key of this.#progress.next(owned, PROGRESS_LOOKS_PER_AUDIT)) {
      const { topic, partition } = parsePartitionKey(key);
      const progress = await this.#port.partitions.progress(topic, partition, this.#settings.group);
      const stall = this.#progress.note(key, progress, this.#port.clock.monotonicMs());
      if (stall === null) continue;
      await this.#port.group.appendEvent('partition-stalled', {
        partition: key,
        owner: snapshot.owners.get(key)?.memberId ?? '',
        committed: String(stall.committed),
        logEnd: String(stall.logEnd),
        forMs: String(Math.round(stall.forMs)),
      });
    }
  }

  async #auditPartitions(snapshot: GroupSnapshot): Promise<void> {
    const nowMs = this.#port.clock.monotonicMs();
    const found = auditOwners(
      this.#audit,
      this.#assignment,
      snapshot,
      nowMs,
      this.#settings.handOverTimeoutMs,
    );
    this.#audit = found.audit;
    // Who should take it has missed that it may. The same assignment once more makes everybody look at what is theirs.
    const isUnclaimed = found.overdue.some(({ holder }) => holder === null);
    if (isUnclaimed && (await this.#publish(snapshot)) === 'STALE') this.queueRebalance();
    for (const { partition, target, holder } of found.overdue) {
      if (holder === null) {
        await this.#port.group.appendEvent('partition-unowned', { partition, target });
        continue;
      }
      // Its owner does not let go. The heir's acquire fences it, so taking the claim away is safe.
      await this.#port.group.unclaim(holder.memberId, new Map([[partition, holder.claim]]));
      await this.#port.group.appendEvent('hand-over-forced', { partition, target, holder: holder.memberId });
    }
  }

  // --- what need not be kept ---------------------------------------------------------------------------------------

  #sweepTopics(topics: TopicCatalogue): void {
    // Assignors may name topics that nobody subscribes to: these are other groups' matter.
    const isOwned = (topic: string) =>
      this.#assignment.owners.get(topic)?.some((member) => member >= 0) === true;
    const own = new Map([...topics].filter(([topic]) => isOwned(topic)));
    const nowMs = this.#port.clock.monotonicMs();
    this.#sweep.follow(own, nowMs);
    // A topic that is new, or has other limits, does not wait for what was due last.
    this.#sweepIn(this.#sweep.untilNextMs(nowMs));
  }

  #sweepIn(delayMs: number): void {
    this.#runIn('sweep', delayMs, 'trimming', async () => {
      // Set before the look, so that a look that fails is not the last one.
      this.#sweepIn(SWEEP_UNDECIDED_MS);
      this.#sweepIn(await this.#sweep.step(this.#port.clock.monotonicMs()));
    });
  }
}
