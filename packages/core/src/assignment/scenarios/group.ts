/**
 * A group that lives through changes of members, subscriptions and topics, and rebalances after each: the way the
 * scenarios of this folder are written down. Every rebalance is checked for validity, spread, balance and the fixed
 * point, so a scenario only says what is special about it.
 */
import { assignmentFromMembers } from '../assignment-from-members.ts';
import { countMoves, emptyAssignment, partitionsOf } from '../assignment.ts';
import { stickyAssignor } from '../sticky-assignor.ts';
import type { Assignment, AssignmentInput, AssignmentMember, Assignor } from '../types.ts';
import { faultsOf } from './faults.ts';

/** `{ c1: { t1: [0, 1] } }`: what members own, as a scenario writes it. */
export type Owned = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

/** `topics({ t1: 3 })` has one topic of three partitions. */
export function topicsOf(counts: Readonly<Record<string, number>>): Map<string, number> {
  return new Map(Object.entries(counts));
}

/** `membersOf({ c1: ['t1'] })`: members and their subscriptions. */
export function membersOf(subscriptions: Readonly<Record<string, readonly string[]>>): AssignmentMember[] {
  return Object.entries(subscriptions).map(([memberId, topics]) => ({ memberId, topics }));
}

export function ownedBy(owned: Owned): Assignment {
  return assignmentFromMembers(
    Object.entries(owned).map(([memberId, topics]) => [memberId, new Map(Object.entries(topics))]),
  );
}

/** The other way round: for comparing with what a scenario expects. Idle members have an empty entry. */
export function ownedIn(assignment: Assignment): Record<string, Record<string, number[]>> {
  return Object.fromEntries(
    assignment.memberIds.map((memberId) => [
      memberId,
      Object.fromEntries(partitionsOf(assignment, memberId)),
    ]),
  );
}

/** How many partitions each member owns, by member id; with `topic`, of that topic only. */
export function sizesOf(assignment: Assignment, topic?: string): Record<string, number> {
  const sizes = Object.fromEntries(assignment.memberIds.map((memberId) => [memberId, 0]));
  for (const [name, owners] of assignment.owners) {
    if (topic !== undefined && name !== topic) continue;
    for (const owner of owners) {
      const memberId = assignment.memberIds[owner];
      if (memberId !== undefined) sizes[memberId] = (sizes[memberId] ?? 0) + 1;
    }
  }
  return sizes;
}

export function sortedSizes(assignment: Assignment): number[] {
  return Object.values(sizesOf(assignment)).toSorted((a, b) => a - b);
}

/** Partitions that members of both assignments lost to one another: what a perfect leave has none of. */
export function movesAmongStayers(before: Assignment, after: Assignment): number {
  const stayers = new Set(before.memberIds.filter((memberId) => after.memberIds.includes(memberId)));
  const onlyStayers = {
    memberIds: before.memberIds,
    owners: new Map(
      [...before.owners].map(([topic, owners]) => [
        topic,
        owners.map((owner) => (stayers.has(before.memberIds[owner] ?? '') ? owner : -1)),
      ]),
    ),
  };
  const joiners = new Set(after.memberIds.filter((memberId) => !stayers.has(memberId)));
  const intake = countIntake(onlyStayers, after, joiners);
  return countMoves(onlyStayers, after) - intake;
}

function countIntake(before: Assignment, after: Assignment, joiners: ReadonlySet<string>): number {
  let intake = 0;
  for (const [topic, owners] of after.owners) {
    const ownersBefore = before.owners.get(topic);
    for (const [partition, owner] of owners.entries()) {
      if (joiners.has(after.memberIds[owner] ?? '') && (ownersBefore?.[partition] ?? -1) >= 0) intake++;
    }
  }
  return intake;
}

export class Group {
  readonly topics: Map<string, number>;
  readonly subscriptions: Map<string, readonly string[]>;
  readonly #assignor: Assignor;
  current: Assignment;
  /** Partitions that changed hands in the last rebalance. */
  moves = 0;
  /** Of those, the ones that went from one member that stayed to another one. */
  needless = 0;

  constructor(
    counts: Readonly<Record<string, number>>,
    subscriptions: Readonly<Record<string, readonly string[]>>,
    owned: Owned = {},
    assignor: Assignor = stickyAssignor,
  ) {
    this.topics = topicsOf(counts);
    this.subscriptions = new Map(Object.entries(subscriptions));
    this.#assignor = assignor;
    this.current = Object.keys(owned).length === 0 ? emptyAssignment : ownedBy(owned);
  }

  get input(): AssignmentInput {
    const members = [...this.subscriptions].map(([memberId, topics]) => ({ memberId, topics }));
    return { members, topics: this.topics, current: this.current };
  }

  subscribe(memberId: string, ...topics: readonly string[]): this {
    this.subscriptions.set(memberId, topics);
    return this;
  }

  leave(...memberIds: readonly string[]): this {
    for (const memberId of memberIds) this.subscriptions.delete(memberId);
    return this;
  }

  setTopic(topic: string, partitions: number): this {
    this.topics.set(topic, partitions);
    return this;
  }

  deleteTopic(topic: string): this {
    this.topics.delete(topic);
    return this;
  }

  /** Returns the new assignment, which becomes the current one. */
  rebalance(): Assignment {
    const before = this.current;
    const after = this.#assignor.assign(this.input);
    refuse(faultsOf(this.input, after));
    this.moves = countMoves(before, after);
    this.needless = movesAmongStayers(before, after);
    this.current = after;
    if (this.#assignor.assign(this.input) !== after) refuse(['the same input again gives another object']);
    return after;
  }
}

function refuse(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(faults.join('\n'));
}
