/** The group port on the simulated Redis: each method is one command of one connection. */
import type {
  Clock,
  ClaimRequest,
  ClaimResult,
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
  PublishRequest,
  Random,
  TakeOver,
} from '@millrace/core';
import type { GroupModel } from '../../packages/redis/test/group/model/group-model.ts';
import type { SimConnection } from './sim-connection.ts';
import type { SimRedis } from './sim-redis.ts';

export class SimGroupStore implements GroupStore {
  readonly #connection: SimConnection;
  readonly #redis: SimRedis;
  readonly #group: string;
  readonly #clock: Clock;
  readonly #random: Random;
  #token: string | null = null;

  constructor(connection: SimConnection, redis: SimRedis, group: string, clock: Clock, random: Random) {
    this.#connection = connection;
    this.#redis = redis;
    this.#group = group;
    this.#clock = clock;
    this.#random = random;
  }

  join(member: MemberDescription, takeOver?: TakeOver): Promise<JoinResult> {
    return this.#write('join', (model) => model.join(member, takeOver));
  }

  heartbeat(memberId: string, session: string): Promise<HeartbeatResult> {
    return this.#write('heartbeat', (model) => model.heartbeat(memberId, session));
  }

  update(member: MemberDescription): Promise<'OK' | 'UNKNOWN_MEMBER'> {
    return this.#write('update', (model) => model.update(member));
  }

  leave(memberId: string, session: string): Promise<'LEFT' | 'UNKNOWN_MEMBER'> {
    return this.#write('leave', (model) => model.leave(memberId, session));
  }

  snapshot(): Promise<GroupSnapshot> {
    return this.#read('read-group', (model) => model.snapshot());
  }

  watch(memberIds: readonly string[]): Promise<GroupWatch> {
    return this.#read('watch', (model) => model.watch(memberIds, this.#redis.timeMs));
  }

  readTarget(memberId: string): ReturnType<GroupStore['readTarget']> {
    return this.#read('read-target', (model) => model.readTarget(memberId));
  }

  readAssignment(): ReturnType<GroupStore['readAssignment']> {
    return this.#read('read-assignment', (model) => model.readAssignment());
  }

  /** As `LeaderLock` does it: what is held already is extended; a lock that comes late is given back. */
  async tryLock(lockMs: number): Promise<boolean> {
    if (this.#token !== null && (await this.extendLock(lockMs))) return true;
    const token = this.#random.nonce();
    const startedMs = this.#clock.monotonicMs();
    const isOurs = await this.#write('lock', (model) => model.lock(token, lockMs, this.#redis.timeMs));
    if (!isOurs) return false;
    if (this.#clock.monotonicMs() - startedMs > lockMs / 2) {
      await this.#write('unlock', (model) => model.unlock(token)).catch(() => {});
      return false;
    }
    this.#token = token;
    return true;
  }

  async extendLock(lockMs: number): Promise<boolean> {
    const token = this.#token;
    if (token === null) return false;
    const startedMs = this.#clock.monotonicMs();
    const isOurs = await this.#write('extend-lock', (model) =>
      model.extendLock(token, lockMs, this.#redis.timeMs),
    );
    if (!isOurs) this.#token = null;
    return isOurs && this.#clock.monotonicMs() - startedMs <= lockMs / 2;
  }

  async releaseLock(): Promise<void> {
    const token = this.#token;
    this.#token = null;
    if (token !== null) await this.#write('unlock', (model) => model.unlock(token)).catch(() => {});
  }

  elect(memberId: string, session: string): Promise<number | null> {
    return this.#write('elect', (model) => model.elect(memberId, session));
  }

  depose(leader: LeaderView, reason: DeposeReason): Promise<'OK' | 'STALE' | 'PRESENT'> {
    return this.#write('depose', (model) => model.depose(leader, reason));
  }

  evict(
    leaderEpoch: number,
    memberId: string,
    observedBeat: number,
    reason: EvictionReason,
  ): Promise<'OK' | 'STALE' | 'ALIVE' | 'UNKNOWN_MEMBER'> {
    return this.#connection.call('evict', () =>
      this.#redis.evict(this.#group, leaderEpoch, memberId, observedBeat, reason),
    );
  }

  bumpGeneration(leaderEpoch: number, generation: number): Promise<number | null> {
    return this.#write('bump-generation', (model) => model.bumpGeneration(leaderEpoch, generation));
  }

  publish(request: PublishRequest): Promise<'OK' | 'STALE'> {
    return this.#connection.call('publish', () => this.#redis.publish(this.#group, request));
  }

  claim(request: ClaimRequest): Promise<ClaimResult> {
    return this.#connection.call('claim', () => this.#redis.claim(this.#group, request));
  }

  unclaim(memberId: string, claims: ReadonlyMap<PartitionKey, number>): Promise<void> {
    const by = this.#connection.domain.name;
    return this.#connection.call('unclaim', () => this.#redis.unclaim(this.#group, memberId, claims, by));
  }

  /** For people: nothing is decided by it. */
  appendEvent(): Promise<void> {
    return this.#connection.call('event', () => {});
  }

  #read<T>(what: string, look: (model: GroupModel) => T): Promise<T> {
    return this.#connection.call(what, () => look(this.#redis.group(this.#group)));
  }

  #write<T>(what: string, change: (model: GroupModel) => T): Promise<T> {
    return this.#connection.call(what, () => this.#redis.write(this.#group, change));
  }
}
