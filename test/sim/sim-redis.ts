/**
 * Redis as the product sees it: the models of the scripts behind slots that can lose their last operations, sharded
 * pub/sub, blocking reads, a clock that jumps. Every operation is told to the oracle with what it found and left.
 */
import {
  partitionKey,
  type AcquireRequest,
  type AcquireResult,
  type ClaimRequest,
  type ClaimResult,
  type CommitResult,
  type EvictionReason,
  type Fence,
  type LogFingerprints,
  type PartitionKey,
  type Progress,
  type PublishRequest,
  type ReleaseResult,
  type SeekResult,
  type TopicCatalogue,
  type TopicEntry,
  type TrimRequest,
  type TrimResult,
} from '@millrace/core';
import { createKeys, fingerprintOf, type ReadPosition } from '@millrace/redis';
import { GroupModel } from '../../packages/redis/test/group/model/group-model.ts';
import type {
  LogAppend,
  LogAppendResult,
  LogEntry,
} from '../../packages/redis/test/group/model/log-model.ts';
import type { Oracle } from './oracle.ts';
import { PartitionSlot } from './partition-slot.ts';
import type { SeededRandom } from './seeded-random.ts';
import { WORLD_EPOCH_MS } from './sim-clock.ts';
import type { ServerSide, SimConnection } from './sim-connection.ts';
import type { Simulation } from './simulation.ts';
import { Slot } from './slot.ts';

export type Found = readonly (readonly [position: ReadPosition, entries: readonly LogEntry[]])[];

interface Waiter {
  readonly connection: SimConnection;
  readonly session: number;
  readonly positions: readonly ReadPosition[];
  readonly maxEntries: number;
  readonly reply: (found: Found) => void;
}

export interface Failover {
  /** `prefix`: all slots go back to one moment. `slots`: each by itself, as slots of different nodes do. */
  readonly mode: 'prefix' | 'slots';
  readonly operations: number;
}

export const keys = createKeys('millrace');

export class SimRedis implements ServerSide {
  server = 'server-1';
  isDown = false;
  stalledUntilMs = 0;
  /** Of its wall clock against the world's. */
  clockShiftMs = 0;
  /** Wake-ups are hints: until then none arrives. */
  wakesLostUntilMs = 0;
  readonly #simulation: Simulation;
  readonly #random: SeededRandom;
  readonly #oracle: Oracle;
  readonly #groups = new Map<string, Slot<GroupModel>>();
  readonly #partitions = new Map<PartitionKey, Slot<PartitionSlot>>();
  readonly #topics = new Map<string, TopicEntry>();
  readonly #subscriptions = new Map<string, Map<SimConnection, number>>();
  readonly #waiters = new Set<Waiter>();
  #operations = 0;
  #servers = 1;

  constructor(simulation: Simulation, random: SeededRandom, oracle: Oracle) {
    this.#simulation = simulation;
    this.#random = random;
    this.#oracle = oracle;
  }

  get timeMs(): number {
    return Math.floor(WORLD_EPOCH_MS + this.#simulation.nowMs + this.clockShiftMs);
  }

  get waiters(): number {
    return this.#waiters.size;
  }

  // --- the catalogue -----------------------------------------------------------------------------------------------

  catalogue(): TopicCatalogue {
    return new Map(this.#topics);
  }

  partitionKeys(): PartitionKey[] {
    return [...this.#partitions.keys()];
  }

  slot(key: PartitionKey): PartitionSlot | undefined {
    return this.#partitions.get(key)?.state;
  }

  createTopic(topic: string, entry: TopicEntry): void {
    const { partitions, incarnation } = entry;
    for (let partition = 0; partition < partitions; partition++) {
      const key = partitionKey(topic, partition);
      if (!this.#partitions.has(key)) this.#partitions.set(key, new Slot(new PartitionSlot(incarnation)));
    }
    this.#topics.set(topic, entry);
  }

  deleteTopic(topic: string): void {
    const entry = this.#topics.get(topic);
    this.#topics.delete(topic);
    for (let partition = 0; partition < (entry?.partitions ?? 0); partition++)
      this.#partitions.delete(partitionKey(topic, partition));
  }

  // --- groups ------------------------------------------------------------------------------------------------------

  /** For reads. */
  group(group: string): GroupModel {
    return this.#groupSlot(group).state;
  }

  write<T>(group: string, change: (model: GroupModel) => T): T {
    const slot = this.#groupSlot(group);
    slot.remember(++this.#operations);
    return change(slot.state);
  }

  claim(group: string, request: ClaimRequest): ClaimResult {
    const before = this.group(group).snapshot();
    const result = this.write(group, (model) => model.claim(request));
    this.#oracle.claimed(group, request, before, result);
    return result;
  }

  evict(
    group: string,
    leaderEpoch: number,
    memberId: string,
    beat: number,
    reason: EvictionReason,
  ): 'OK' | 'STALE' | 'ALIVE' | 'UNKNOWN_MEMBER' {
    const { members, leader } = this.group(group).snapshot();
    const outcome = this.write(group, (model) => model.evict(leaderEpoch, memberId, beat, reason));
    if (outcome !== 'OK') return outcome;
    this.#oracle.led(group, 'evict from', leaderEpoch, leader);
    const member = members.get(memberId);
    this.#oracle.evicted(group, memberId, member?.instanceId === undefined, reason);
    return outcome;
  }

  publish(group: string, request: PublishRequest): 'OK' | 'STALE' {
    const { leader } = this.group(group).snapshot();
    const outcome = this.write(group, (model) => model.publish(request));
    if (outcome === 'OK') this.#oracle.led(group, 'publish for', request.leaderEpoch, leader);
    return outcome;
  }

  unclaim(group: string, memberId: string, claims: ReadonlyMap<PartitionKey, number>, by: string): void {
    this.#oracle.unclaimed(group, claims.keys(), by);
    this.write(group, (model) => model.unclaim(memberId, claims));
  }

  #groupSlot(group: string): Slot<GroupModel> {
    let slot = this.#groups.get(group);
    if (slot === undefined) {
      const groupKeys = keys.group(group);
      const model = new GroupModel({
        subscribers: (memberId) => this.#subscriptions.get(groupKeys.presence(memberId))?.size ?? 0,
        wake: (what) => this.#publish(groupKeys.wake, what),
      });
      model.server = this.server;
      slot = new Slot(model);
      this.#groups.set(group, slot);
    }
    return slot;
  }

  // --- partitions --------------------------------------------------------------------------------------------------

  append(topic: string, partition: number, request: LogAppend, values: readonly string[]) {
    const key = partitionKey(topic, partition);
    const slot = this.#partitions.get(key);
    if (slot === undefined) return { status: 'UNKNOWN_PARTITION' } as const;
    slot.remember(++this.#operations);
    const result: LogAppendResult = slot.state.log.append(request, this.timeMs);
    if (result.status !== 'APPENDED') return result;
    slot.state.values.push(...values);
    slot.state.logChanged();
    this.#oracle.appended(key, slot.state, result.baseOffset, values);
    for (const waiter of this.#waiters) {
      if (!waiter.positions.some((position) => keyOf(position) === key)) continue;
      this.#waiters.delete(waiter);
      waiter.reply(this.#find(waiter.positions, waiter.maxEntries));
    }
    return result;
  }

  acquire(request: AcquireRequest): AcquireResult {
    const key = keyOf(request);
    const slot = this.#partitions.get(key);
    if (slot === undefined) return { status: 'UNKNOWN_PARTITION' };
    slot.remember(++this.#operations);
    const model = slot.state.group(request.group, this.server);
    const before = model.stored;
    const result = model.acquire(request, this.timeMs);
    this.#oracle.acquired(key, slot.state, request, before, model.stored, result);
    return result;
  }

  commit(fence: Fence, offset: number, fingerprint: string): CommitResult {
    const slot = this.#partitions.get(keyOf(fence));
    if (slot === undefined) return { status: 'FENCED', epoch: 0, owner: '' };
    slot.remember(++this.#operations);
    const model = slot.state.group(fence.group, this.server);
    const before = model.stored;
    const result = model.commit(fence, offset, fingerprint);
    this.#oracle.committed(keyOf(fence), slot.state, fence, this.server, before, model.stored, result);
    return result;
  }

  seek(fence: Fence, offset: number, nextNonce: string): SeekResult {
    const slot = this.#partitions.get(keyOf(fence));
    if (slot === undefined) return { status: 'FENCED', epoch: 0, owner: '' };
    slot.remember(++this.#operations);
    const model = slot.state.group(fence.group, this.server);
    const before = model.stored;
    const result = model.seek(fence, offset, nextNonce);
    this.#oracle.sought(keyOf(fence), slot.state, fence, this.server, before, model.stored, result);
    return result;
  }

  release(fence: Fence): ReleaseResult {
    const slot = this.#partitions.get(keyOf(fence));
    if (slot === undefined) return { status: 'FENCED', epoch: 0, owner: '' };
    slot.remember(++this.#operations);
    return slot.state.group(fence.group, this.server).release(fence);
  }

  progress(topic: string, partition: number, group: string): Progress | null {
    return this.#partitions.get(partitionKey(topic, partition))?.state.groups.get(group)?.progress() ?? null;
  }

  fingerprints(topic: string, partition: number, nextOffsets: readonly number[]): LogFingerprints | null {
    const slot = this.#partitions.get(partitionKey(topic, partition))?.state;
    if (slot === undefined) return null;
    const { incarnation, log } = slot;
    const fingerprints = nextOffsets.map((nextOffset) => {
      const entry = log.entryAt(nextOffset);
      if (entry === undefined) return '';
      const { appendedMs, batch: bytes } = entry;
      return fingerprintOf({ partition: partitionKey(topic, partition), nextOffset, appendedMs, bytes });
    });
    return { logStart: log.start, logEnd: log.end, incarnation, server: this.server, fingerprints };
  }

  trim(request: TrimRequest): TrimResult {
    const key = keyOf(request);
    const slot = this.#partitions.get(key);
    if (slot === undefined) return { status: 'UNKNOWN_PARTITION' };
    const { incarnation } = slot.state;
    if (incarnation !== request.incarnation) return { status: 'OTHER_INCARNATION', incarnation };
    const owned = [...slot.state.groups].filter(([, model]) => model.stored !== null);
    const groups = owned.map(([group]) => group);
    if (groups.length !== request.groups.length || groups.some((group) => !request.groups.includes(group)))
      return { status: 'GROUPS_CHANGED', groups };
    slot.remember(++this.#operations);
    const { state } = slot;
    state.log.limits = request.limits?.limits ?? {};
    const from = state.log.start;
    const committed = [...state.groups.values()].flatMap(({ stored }) =>
      stored === null ? [] : [stored.committed],
    );
    const result = state.log.trim(committed, this.timeMs);
    state.logChanged();
    this.#oracle.trimmed(key, state, from, groups);
    return result;
  }

  // --- reading -----------------------------------------------------------------------------------------------------

  /** XREAD, with BLOCK where `blockMs` is above 0. */
  read(
    connection: SimConnection,
    session: number,
    positions: readonly ReadPosition[],
    maxEntries: number,
    blockMs: number,
    reply: (found: Found) => void,
  ): void {
    const found = this.#find(positions, maxEntries);
    if (found.length > 0 || blockMs === 0) {
      reply(found);
      return;
    }
    const waiter: Waiter = { connection, session, positions, maxEntries, reply };
    this.#waiters.add(waiter);
    this.#simulation.schedule(blockMs, null, 'end of a block', () => {
      if (this.#waiters.delete(waiter)) reply([]);
    });
  }

  /** CLIENT UNBLOCK. */
  unblock(connection: SimConnection): void {
    for (const waiter of this.#waiters) {
      if (waiter.connection !== connection || waiter.session !== connection.session) continue;
      this.#waiters.delete(waiter);
      waiter.reply([]);
    }
  }

  #find(positions: readonly ReadPosition[], maxEntries: number): Found {
    const found: [ReadPosition, readonly LogEntry[]][] = [];
    for (const position of positions) {
      const entries =
        this.#partitions.get(keyOf(position))?.state.log.read(position.offset, maxEntries) ?? [];
      if (entries.length > 0) found.push([position, entries]);
    }
    return found;
  }

  // --- pub/sub -----------------------------------------------------------------------------------------------------

  subscribe(connection: SimConnection, session: number, channels: readonly string[]): void {
    if (connection.session !== session || connection.status !== 'ready') return;
    for (const channel of channels) {
      const subscribers = this.#subscriptions.get(channel) ?? new Map<SimConnection, number>();
      subscribers.set(connection, session);
      this.#subscriptions.set(channel, subscribers);
    }
  }

  unsubscribe(connection: SimConnection, channels: readonly string[]): void {
    for (const channel of channels) this.#subscriptions.get(channel)?.delete(connection);
  }

  onDisconnect(connection: SimConnection, session: number): void {
    for (const subscribers of this.#subscriptions.values())
      if (subscribers.get(connection) === session) subscribers.delete(connection);
    for (const waiter of this.#waiters)
      if (waiter.connection === connection && waiter.session === session) this.#waiters.delete(waiter);
  }

  #publish(channel: string, message: string): void {
    if (this.#simulation.nowMs < this.wakesLostUntilMs) return;
    for (const [connection, session] of this.#subscriptions.get(channel) ?? []) {
      if (connection.session === session) connection.push('message', 'smessage', channel, message);
    }
  }

  // --- what goes wrong ---------------------------------------------------------------------------------------------

  /** Another process answers from now on, with less than this one had. Connections are broken by the caller. */
  failOver({ mode, operations }: Failover): void {
    this.server = `server-${++this.#servers}`;
    this.#oracle.failedOver();
    this.#subscriptions.clear();
    this.#waiters.clear();
    const from = this.#operations - operations;
    for (const slot of this.#groups.values()) {
      slot.loseLast(mode === 'prefix' ? slot.countAfter(from) : this.#random.between(0, operations));
      slot.state.server = this.server;
    }
    for (const [key, slot] of this.#partitions) {
      const before = slot.state;
      slot.loseLast(mode === 'prefix' ? slot.countAfter(from) : this.#random.between(0, operations));
      this.#oracle.rolledBack(key, before, slot.state);
    }
  }

  /** The key of the leader lock is removed by somebody. */
  dropLock(group: string): void {
    this.write(group, (model) => model.dropLock());
  }
}

export function keyOf({
  topic,
  partition,
}: {
  readonly topic: string;
  readonly partition: number;
}): PartitionKey {
  return partitionKey(topic, partition);
}
