/**
 * What members and the leader need of a group's slot. TypeScript decides; what stands behind this port enforces: each
 * call checks its fence, writes, and reports.
 */
import type { Assignment } from '../assignment/types.ts';
import type { PartitionKey } from '../names.ts';

export type TopicSubscription =
  | { readonly kind: 'name'; readonly topic: string }
  | { readonly kind: 'pattern'; readonly source: string; readonly flags: string };

/** What a member says of itself when it joins. */
export interface MemberDescription {
  readonly memberId: string;
  /** Fresh for every join: tells a restarted static member from the one it replaces. */
  readonly session: string;
  /** Set for a static member; equals its member id. */
  readonly instanceId?: string;
  readonly host: string;
  readonly pid: number;
  readonly subscriptions: readonly TopicSubscription[];
  readonly capacity: number;
  readonly leaseMs: number;
  /** Name of the assignor that this member would compute with as a leader. */
  readonly assignor: string;
  /** It is draining what it owns and gets nothing any more. */
  readonly isLeaving: boolean;
  /** Wall clock of the member, for people. */
  readonly joinedAtMs: number;
}

export interface LeaderView {
  /** Empty when nobody leads. */
  readonly memberId: string;
  readonly epoch: number;
}

export interface GroupView {
  /** Counts changes of membership, subscriptions and topics. */
  readonly generation: number;
  /** Generation that the published assignment was computed for; below `generation` while the leader works. */
  readonly assignmentGeneration: number;
  readonly leader: LeaderView;
  /** Members that watch the leader. */
  readonly deputies: readonly string[];
}

export interface Claim {
  readonly memberId: string;
  /** Only rises within a group. */
  readonly claim: number;
}

export interface GroupSnapshot extends GroupView {
  readonly members: ReadonlyMap<string, MemberDescription>;
  readonly beats: ReadonlyMap<string, number>;
  /** Entries of members that are gone count for nothing: a claim lives as long as its member. */
  readonly owners: ReadonlyMap<PartitionKey, Claim>;
}

export interface MemberSigns {
  /** Subscribers of the presence channel; 0 means that the member's lease connection is gone. */
  readonly subscribers: number;
  /** Heartbeat counter; null when the group does not know the member. */
  readonly beat: number | null;
}

export interface GroupWatch extends GroupView {
  /** Identity of what answered. Another one has seen nobody yet: a presence that is missing there means nothing. */
  readonly server: string;
  /** Clock of the server. Only staggers watchers against each other. */
  readonly serverTimeMs: number;
  readonly signs: ReadonlyMap<string, MemberSigns>;
}

/** One member's part of the published assignment (of `assignmentGeneration`). */
export interface Target extends GroupView {
  readonly partitions: readonly PartitionKey[];
  /** Topic → the creation of it that the assignment is for: see `TopicEntry`. */
  readonly incarnations: ReadonlyMap<string, string>;
}

export interface TakeOver {
  /** Beat at which the predecessor was seen last; it must not have moved since. */
  readonly beat: number;
  /** Its connection is still open although its lease has run out (a frozen process, a host that vanished). */
  readonly evenIfPresent: boolean;
}

export type JoinResult =
  | (GroupView & { readonly status: 'JOINED' })
  | {
      readonly status: 'DUPLICATE_INSTANCE';
      readonly holder: MemberDescription;
      readonly beat: number;
      readonly isPresent: boolean;
    }
  | { readonly status: 'PROTOCOL_MISMATCH'; readonly groupProtocol: number; readonly ownProtocol: number };

export type HeartbeatResult =
  | (GroupView & { readonly status: 'OK' })
  /** Evicted, or never joined. */
  | { readonly status: 'UNKNOWN_MEMBER' }
  /** Another process holds this member id now. */
  | { readonly status: 'REPLACED' };

export type ClaimResult =
  | {
      readonly status: 'CLAIMED';
      readonly claim: number;
      readonly granted: readonly PartitionKey[];
      /** Partition → living member that has not given it up yet. */
      readonly held: ReadonlyMap<PartitionKey, string>;
    }
  | { readonly status: 'STALE_ASSIGNMENT' }
  | { readonly status: 'UNKNOWN_MEMBER' };

export type EvictionReason = 'presence' | 'lease';

export type DeposeReason = 'resigned' | 'gone' | 'silent';

export interface GroupEvent {
  readonly id: string;
  readonly atMs: number;
  readonly type: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface PublishRequest {
  readonly leaderEpoch: number;
  readonly generation: number;
  readonly assignment: Assignment;
  /** Of the topics in it: who owns a partition of an older one owns a part of a log that is no more. */
  readonly incarnations: ReadonlyMap<string, string>;
  /** Members that watch the leader's presence. */
  readonly deputies: readonly string[];
  /** Partitions that change hands, for the history. */
  readonly moves: number;
  /** Entries of the owners hash that dead members left for partitions that are assigned to nobody. */
  readonly orphans: ReadonlyMap<PartitionKey, Claim>;
}

export interface PublishedAssignment {
  readonly generation: number;
  readonly assignment: Assignment;
  /** As published. */
  readonly incarnations: ReadonlyMap<string, string>;
}

export interface ClaimRequest {
  readonly memberId: string;
  readonly session: string;
  readonly assignmentGeneration: number;
  readonly partitions: readonly PartitionKey[];
  /** Lowest number the claim may have: above what the partition's slot has seen, after the group's slot rolled back. */
  readonly lowest: number;
}

/** One group. Transport failures throw; every outcome that the protocol knows is a return value. */
export interface GroupStore {
  join(member: MemberDescription, takeOver?: TakeOver): Promise<JoinResult>;
  heartbeat(memberId: string, session: string): Promise<HeartbeatResult>;
  /** Replaces the description of a member by what it says now; `what` is for the history. */
  update(member: MemberDescription, what: string): Promise<'OK' | 'UNKNOWN_MEMBER'>;
  leave(memberId: string, session: string): Promise<'LEFT' | 'UNKNOWN_MEMBER'>;

  snapshot(): Promise<GroupSnapshot>;
  watch(memberIds: readonly string[]): Promise<GroupWatch>;
  readTarget(memberId: string): Promise<Target>;
  readAssignment(): Promise<PublishedAssignment>;

  /** One attempt at the leader lock. It only picks who computes; safety is the leader epoch. */
  tryLock(lockMs: number): Promise<boolean>;
  /** False when the lock is lost. */
  extendLock(lockMs: number): Promise<boolean>;
  releaseLock(): Promise<void>;
  /** The new leader epoch; null when the caller is not in the group. */
  elect(memberId: string, session: string): Promise<number | null>;
  /** `gone`: its presence is; refused as PRESENT when it is back. `silent`: its lease has run out. */
  depose(leader: LeaderView, reason: DeposeReason): Promise<'OK' | 'STALE' | 'PRESENT'>;
  evict(
    leaderEpoch: number,
    memberId: string,
    observedBeat: number,
    reason: EvictionReason,
  ): Promise<'OK' | 'STALE' | 'ALIVE' | 'UNKNOWN_MEMBER'>;
  /** The raised generation; null when the caller is stale. */
  bumpGeneration(leaderEpoch: number, generation: number, what: string): Promise<number | null>;
  publish(request: PublishRequest): Promise<'OK' | 'STALE'>;

  claim(request: ClaimRequest): Promise<ClaimResult>;
  unclaim(memberId: string, claims: ReadonlyMap<PartitionKey, number>): Promise<void>;

  appendEvent(type: string, fields: Readonly<Record<string, string>>): Promise<void>;
}
