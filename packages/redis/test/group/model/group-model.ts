/**
 * The rules of a group's slot once more, as naively as they can be written down: what the scripts are compared with,
 * and what the simulation runs on. Pub/sub is no part of a slot's data and comes from outside.
 */
import {
  assignmentFromMembers,
  partitionKey,
  partitionsByMember,
  type Claim,
  type ClaimRequest,
  type ClaimResult,
  type DeposeReason,
  type EvictionReason,
  type GroupSnapshot,
  type GroupView,
  type GroupWatch,
  type HeartbeatResult,
  type JoinResult,
  type LeaderView,
  type MemberDescription,
  type MemberSigns,
  type PartitionKey,
  type PublishedAssignment,
  type PublishRequest,
  type TakeOver,
  type Target,
} from '@millrace/core';

export interface GroupPubSub {
  /** Subscribers of a member's presence channel. */
  subscribers(memberId: string): number;
  wake(what: string): void;
}

const SILENCE: GroupPubSub = { subscribers: () => 0, wake: () => {} };

type Targets = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;

export class GroupModel {
  readonly #pubSub: GroupPubSub;
  #members = new Map<string, MemberDescription>();
  #beats = new Map<string, number>();
  #owners = new Map<PartitionKey, Claim>();
  #targets: Targets = new Map();
  #incarnations: ReadonlyMap<string, string> = new Map();
  #generation = 0;
  #assignmentGeneration = 0;
  #leader: LeaderView = { memberId: '', epoch: 0 };
  #deputies: readonly string[] = [];
  #claims = 0;
  /** Who answers: another one after every restart and failover. */
  server = '';
  /** The leader lock is a key of the same slot. */
  #lock: { readonly token: string; readonly untilMs: number } | null = null;

  constructor(pubSub: GroupPubSub = SILENCE) {
    this.#pubSub = pubSub;
  }

  /** The slot as a replica has it that has received everything up to now. */
  clone(): GroupModel {
    const copy = new GroupModel(this.#pubSub);
    copy.#members = new Map(this.#members);
    copy.#beats = new Map(this.#beats);
    copy.#owners = new Map(this.#owners);
    copy.#targets = this.#targets;
    copy.#incarnations = this.#incarnations;
    copy.#generation = this.#generation;
    copy.#assignmentGeneration = this.#assignmentGeneration;
    copy.#leader = this.#leader;
    copy.#deputies = this.#deputies;
    copy.#claims = this.#claims;
    copy.server = this.server;
    copy.#lock = this.#lock;
    return copy;
  }

  join(member: MemberDescription, takeOver?: TakeOver): JoinResult {
    const { memberId } = member;
    const held = this.#members.get(memberId);
    const isRepeated = held !== undefined && JSON.stringify(held) === JSON.stringify(member);
    if (isRepeated) return { status: 'JOINED', ...this.#view() };
    const beat = this.#beats.get(memberId) ?? 0;
    const isPresent = this.#pubSub.subscribers(memberId) > 0;
    const isInTheWay = takeOver?.beat !== beat || (isPresent && !takeOver.evenIfPresent);
    if (held !== undefined && isInTheWay) {
      return { status: 'DUPLICATE_INSTANCE', holder: held, beat, isPresent };
    }
    this.#members.set(memberId, member);
    this.#beats.set(memberId, beat + 1);
    if (held === undefined || inputOf(held) !== inputOf(member)) this.#generation++;
    this.#pubSub.wake('generation');
    return { status: 'JOINED', ...this.#view() };
  }

  heartbeat(memberId: string, session: string): HeartbeatResult {
    const held = this.#members.get(memberId);
    if (held === undefined) return { status: 'UNKNOWN_MEMBER' };
    if (held.session !== session) return { status: 'REPLACED' };
    this.#beats.set(memberId, (this.#beats.get(memberId) ?? 0) + 1);
    return { status: 'OK', ...this.#view() };
  }

  update(member: MemberDescription): 'OK' | 'UNKNOWN_MEMBER' {
    const held = this.#members.get(member.memberId);
    if (held?.session !== member.session) return 'UNKNOWN_MEMBER';
    if (JSON.stringify(held) === JSON.stringify(member)) return 'OK';
    this.#members.set(member.memberId, member);
    this.#generation++;
    this.#pubSub.wake('generation');
    return 'OK';
  }

  leave(memberId: string, session: string): 'LEFT' | 'UNKNOWN_MEMBER' {
    if (this.#members.get(memberId)?.session !== session) return 'UNKNOWN_MEMBER';
    this.#remove(memberId);
    if (this.#leader.memberId === memberId) {
      this.#leader = { ...this.#leader, memberId: '' };
      this.#lock = null;
      this.#pubSub.wake('leader-resigned');
    }
    this.#pubSub.wake('generation');
    return 'LEFT';
  }

  evict(
    leaderEpoch: number,
    memberId: string,
    beat: number,
    reason: EvictionReason,
  ): 'OK' | 'STALE' | 'ALIVE' | 'UNKNOWN_MEMBER' {
    if (leaderEpoch !== this.#leader.epoch) return 'STALE';
    if (!this.#members.has(memberId)) return 'UNKNOWN_MEMBER';
    if (beat !== this.#beats.get(memberId)) return 'ALIVE';
    if (reason === 'presence' && this.#pubSub.subscribers(memberId) > 0) return 'ALIVE';
    this.#remove(memberId);
    this.#pubSub.wake('generation');
    return 'OK';
  }

  depose(leader: LeaderView, reason: DeposeReason): 'OK' | 'STALE' | 'PRESENT' {
    const { memberId, epoch } = this.#leader;
    if (leader.memberId !== memberId || leader.epoch !== epoch) return 'STALE';
    if (reason === 'gone' && this.#pubSub.subscribers(memberId) > 0) return 'PRESENT';
    this.#leader = { memberId: '', epoch };
    this.#lock = null;
    this.#pubSub.wake(`leader-${reason}`);
    return 'OK';
  }

  bumpGeneration(leaderEpoch: number, generation: number): number | null {
    if (leaderEpoch !== this.#leader.epoch || generation !== this.#generation) return null;
    return ++this.#generation;
  }

  /** SET NX PX, as redlock does it. */
  lock(token: string, lockMs: number, nowMs: number): boolean {
    if (this.#lock !== null && this.#lock.untilMs > nowMs) return false;
    this.#lock = { token, untilMs: nowMs + lockMs };
    return true;
  }

  /** PEXPIRE by compare. */
  extendLock(token: string, lockMs: number, nowMs: number): boolean {
    if (this.#lock === null || this.#lock.token !== token || this.#lock.untilMs <= nowMs) return false;
    this.#lock = { token, untilMs: nowMs + lockMs };
    return true;
  }

  /** DEL by anybody: two may believe in the lead then. */
  dropLock(): void {
    this.#lock = null;
  }

  /** DEL by compare. */
  unlock(token: string): void {
    if (this.#lock?.token === token) this.#lock = null;
  }

  elect(memberId: string, session: string): number | null {
    if (this.#members.get(memberId)?.session !== session) return null;
    this.#leader = { memberId, epoch: this.#leader.epoch + 1 };
    return this.#leader.epoch;
  }

  publish(request: PublishRequest): 'OK' | 'STALE' {
    const { leaderEpoch, generation, assignment, deputies, incarnations, orphans } = request;
    if (leaderEpoch !== this.#leader.epoch || generation !== this.#generation) return 'STALE';
    for (const [partition, claim] of orphans) this.#removeClaim(partition, claim);
    this.#targets = partitionsByMember(assignment);
    this.#incarnations = incarnations;
    this.#assignmentGeneration = generation;
    this.#deputies = deputies;
    this.#pubSub.wake('assignment');
    return 'OK';
  }

  claim({ memberId, session, assignmentGeneration, partitions, lowest }: ClaimRequest): ClaimResult {
    if (this.#members.get(memberId)?.session !== session) return { status: 'UNKNOWN_MEMBER' };
    if (assignmentGeneration !== this.#assignmentGeneration) return { status: 'STALE_ASSIGNMENT' };
    this.#claims = Math.max(this.#claims + 1, lowest);
    const granted: PartitionKey[] = [];
    const held = new Map<PartitionKey, string>();
    for (const partition of partitions) {
      const holder = this.#owners.get(partition)?.memberId;
      if (holder !== undefined && holder !== memberId && this.#members.has(holder)) {
        held.set(partition, holder);
        continue;
      }
      this.#owners.set(partition, { memberId, claim: this.#claims });
      granted.push(partition);
    }
    return { status: 'CLAIMED', claim: this.#claims, granted, held };
  }

  unclaim(memberId: string, claims: ReadonlyMap<PartitionKey, number>): void {
    let removed = 0;
    for (const [partition, claim] of claims) if (this.#removeClaim(partition, { memberId, claim })) removed++;
    if (removed > 0) this.#pubSub.wake('released');
  }

  readTarget(memberId: string): Target {
    const partitions: PartitionKey[] = [];
    for (const [topic, numbers] of this.#targets.get(memberId) ?? []) {
      for (const number of numbers) partitions.push(partitionKey(topic, number));
    }
    return { ...this.#view(), partitions, incarnations: this.#incarnations };
  }

  readAssignment(): PublishedAssignment {
    const assignment = assignmentFromMembers(this.#targets);
    return { generation: this.#assignmentGeneration, assignment, incarnations: this.#incarnations };
  }

  watch(memberIds: readonly string[], serverTimeMs: number): GroupWatch {
    const signs = new Map<string, MemberSigns>();
    for (const memberId of memberIds) {
      const beat = this.#beats.get(memberId) ?? null;
      signs.set(memberId, { subscribers: this.#pubSub.subscribers(memberId), beat });
    }
    return { ...this.#view(), server: this.server, serverTimeMs, signs };
  }

  /** What is left of the claims after a failover that lost the last ones. */
  rollBackClaims(last: number): void {
    this.#claims = last;
    for (const [partition, { claim }] of this.#owners) if (claim > last) this.#owners.delete(partition);
  }

  snapshot(): GroupSnapshot {
    const copies = {
      members: new Map(this.#members),
      beats: new Map(this.#beats),
      owners: new Map(this.#owners),
    };
    return { ...this.#view(), ...copies };
  }

  #view(): GroupView {
    return {
      generation: this.#generation,
      assignmentGeneration: this.#assignmentGeneration,
      leader: this.#leader,
      deputies: this.#deputies,
    };
  }

  #removeClaim(partition: PartitionKey, { memberId, claim }: Claim): boolean {
    const owner = this.#owners.get(partition);
    if (owner?.memberId !== memberId || owner.claim !== claim) return false;
    return this.#owners.delete(partition);
  }

  #remove(memberId: string): void {
    this.#members.delete(memberId);
    this.#beats.delete(memberId);
    this.#generation++;
  }
}

function inputOf({ subscriptions, capacity, assignor, isLeaving }: MemberDescription): string {
  return JSON.stringify([subscriptions, capacity, assignor, isLeaving]);
}
