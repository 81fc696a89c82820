/** The group port on Redis: one group, one command connection. Each method is one script. */
import type {
  ClaimRequest,
  ClaimResult,
  Clock,
  DeposeReason,
  EvictionReason,
  GroupSnapshot,
  GroupStore,
  GroupWatch,
  HeartbeatResult,
  JoinResult,
  LeaderView,
  MemberDescription,
  PartitionKey,
  PublishedAssignment,
  PublishRequest,
  TakeOver,
  Target,
} from '@millrace/core';
import type { CommandConnection } from '../connection/command-connection.ts';
import { REGISTER_GROUP } from '../generated/lua.ts';
import { runScript } from '../run-script.ts';
import type { GroupKeys, Keys } from '../keys.ts';
import { claimPartitions, unclaimPartitions } from './claims.ts';
import { appendGroupEvent } from './events.ts';
import { joinGroup } from './join.ts';
import { LeaderLock } from './leader-lock.ts';
import { bumpGeneration, deposeLeader, electLeader, evictMember, publishAssignment } from './leadership.ts';
import { heartbeat, leaveGroup, updateMember } from './membership.ts';
import { readAssignment, readGroup, readTarget, watchGroup } from './observe.ts';

/** A script call takes at most this many partitions: a long argument list would hold the server up. */
const PARTITIONS_PER_CALL = 2000;

export class RedisGroupStore implements GroupStore {
  readonly #connection: CommandConnection;
  readonly #catalogue: Keys;
  readonly #group: string;
  readonly #keys: GroupKeys;
  readonly #lock: LeaderLock;

  constructor(connection: CommandConnection, keys: Keys, group: string, clock: Clock) {
    this.#connection = connection;
    this.#catalogue = keys;
    this.#group = group;
    this.#keys = keys.group(group);
    this.#lock = new LeaderLock([connection], this.#keys.leaderLock, clock);
  }

  async join(member: MemberDescription, takeOver?: TakeOver): Promise<JoinResult> {
    // First, so that a group with members is never missing from the catalogue.
    await runScript(this.#connection, REGISTER_GROUP, [this.#catalogue.groups], [this.#group]);
    return joinGroup(this.#connection, this.#keys, member, takeOver);
  }

  heartbeat(memberId: string, session: string): Promise<HeartbeatResult> {
    return heartbeat(this.#connection, this.#keys, memberId, session);
  }

  update(member: MemberDescription, what: string): Promise<'OK' | 'UNKNOWN_MEMBER'> {
    return updateMember(this.#connection, this.#keys, member, what);
  }

  leave(memberId: string, session: string): Promise<'LEFT' | 'UNKNOWN_MEMBER'> {
    return leaveGroup(this.#connection, this.#keys, memberId, session);
  }

  snapshot(): Promise<GroupSnapshot> {
    return readGroup(this.#connection, this.#keys);
  }

  watch(memberIds: readonly string[]): Promise<GroupWatch> {
    return watchGroup(this.#connection, this.#keys, memberIds);
  }

  readTarget(memberId: string): Promise<Target> {
    return readTarget(this.#connection, this.#keys, memberId);
  }

  readAssignment(): Promise<PublishedAssignment> {
    return readAssignment(this.#connection, this.#keys);
  }

  tryLock(lockMs: number): Promise<boolean> {
    return this.#lock.tryAcquire(lockMs);
  }

  extendLock(lockMs: number): Promise<boolean> {
    return this.#lock.extend(lockMs);
  }

  releaseLock(): Promise<void> {
    return this.#lock.release();
  }

  elect(memberId: string, session: string): Promise<number | null> {
    return electLeader(this.#connection, this.#keys, memberId, session);
  }

  depose(leader: LeaderView, reason: DeposeReason): Promise<'OK' | 'STALE' | 'PRESENT'> {
    return deposeLeader(this.#connection, this.#keys, leader, reason);
  }

  evict(
    leaderEpoch: number,
    memberId: string,
    observedBeat: number,
    reason: EvictionReason,
  ): Promise<'OK' | 'STALE' | 'ALIVE' | 'UNKNOWN_MEMBER'> {
    return evictMember(this.#connection, this.#keys, leaderEpoch, memberId, observedBeat, reason);
  }

  bumpGeneration(leaderEpoch: number, generation: number, what: string): Promise<number | null> {
    return bumpGeneration(this.#connection, this.#keys, leaderEpoch, generation, what);
  }

  publish(request: PublishRequest): Promise<'OK' | 'STALE'> {
    return publishAssignment(this.#connection, this.#keys, request);
  }

  claim(request: ClaimRequest): Promise<ClaimResult> {
    const partitions = request.partitions.slice(0, PARTITIONS_PER_CALL);
    return claimPartitions(this.#connection, this.#keys, { ...request, partitions });
  }

  async unclaim(memberId: string, claims: ReadonlyMap<PartitionKey, number>): Promise<void> {
    const entries = [...claims];
    for (let first = 0; first < entries.length; first += PARTITIONS_PER_CALL) {
      const block = new Map(entries.slice(first, first + PARTITIONS_PER_CALL));
      await unclaimPartitions(this.#connection, this.#keys, memberId, block);
    }
  }

  appendEvent(type: string, fields: Readonly<Record<string, string>>): Promise<void> {
    return appendGroupEvent(this.#connection, this.#keys, type, fields);
  }
}
