/**
 * The rules of a group's slot once more, as naively as they can be written down: what the scripts are compared with.
 * Presence is left out: in the model nobody is ever present.
 */
import type {
  Claim,
  ClaimRequest,
  ClaimResult,
  GroupSnapshot,
  GroupView,
  HeartbeatResult,
  JoinResult,
  MemberDescription,
  PartitionKey,
  TakeOver,
} from '@millrace/core';

export class GroupModel {
  readonly #members = new Map<string, MemberDescription>();
  readonly #beats = new Map<string, number>();
  readonly #owners = new Map<PartitionKey, Claim>();
  #generation = 0;
  #assignmentGeneration = 0;
  #leader = { memberId: '', epoch: 0 };
  #claims = 0;

  join(member: MemberDescription, takeOver?: TakeOver): JoinResult {
    const { memberId } = member;
    const held = this.#members.get(memberId);
    const isRepeated = held !== undefined && JSON.stringify(held) === JSON.stringify(member);
    if (isRepeated) return { status: 'JOINED', ...this.#view() };
    const beat = this.#beats.get(memberId) ?? 0;
    if (held !== undefined && takeOver?.beat !== beat) {
      return { status: 'DUPLICATE_INSTANCE', holder: held, beat, isPresent: false };
    }
    this.#members.set(memberId, member);
    this.#beats.set(memberId, beat + 1);
    if (held === undefined || inputOf(held) !== inputOf(member)) this.#generation++;
    return { status: 'JOINED', ...this.#view() };
  }

  heartbeat(memberId: string, session: string): HeartbeatResult {
    const held = this.#members.get(memberId);
    if (held === undefined) return { status: 'UNKNOWN_MEMBER' };
    if (held.session !== session) return { status: 'REPLACED' };
    this.#beats.set(memberId, (this.#beats.get(memberId) ?? 0) + 1);
    return { status: 'OK', ...this.#view() };
  }

  leave(memberId: string, session: string): 'LEFT' | 'UNKNOWN_MEMBER' {
    if (this.#members.get(memberId)?.session !== session) return 'UNKNOWN_MEMBER';
    this.#remove(memberId);
    if (this.#leader.memberId === memberId) this.#leader = { ...this.#leader, memberId: '' };
    return 'LEFT';
  }

  evict(leaderEpoch: number, memberId: string, beat: number): 'OK' | 'STALE' | 'ALIVE' | 'UNKNOWN_MEMBER' {
    if (leaderEpoch !== this.#leader.epoch) return 'STALE';
    if (!this.#members.has(memberId)) return 'UNKNOWN_MEMBER';
    if (beat !== this.#beats.get(memberId)) return 'ALIVE';
    this.#remove(memberId);
    return 'OK';
  }

  elect(memberId: string, session: string): number | null {
    if (this.#members.get(memberId)?.session !== session) return null;
    this.#leader = { memberId, epoch: this.#leader.epoch + 1 };
    return this.#leader.epoch;
  }

  /** Only that there is an assignment for the generation: who gets what is not the script's matter. */
  publish(leaderEpoch: number, generation: number): 'OK' | 'STALE' {
    if (leaderEpoch !== this.#leader.epoch || generation !== this.#generation) return 'STALE';
    this.#assignmentGeneration = generation;
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
    for (const [partition, claim] of claims) {
      const owner = this.#owners.get(partition);
      if (owner?.memberId === memberId && owner.claim === claim) this.#owners.delete(partition);
    }
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
      deputies: [],
    };
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
