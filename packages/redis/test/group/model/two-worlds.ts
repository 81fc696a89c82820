/** Does each operation on the scripts in a real Redis and on the model, and compares answers and states. */
import { isDeepStrictEqual } from 'node:util';
import type { AcquireRequest, Fence, MemberDescription } from '@millrace/core';
import {
  createKeys,
  encodeBatch,
  RedisGroupStore,
  RedisLog,
  RedisPartitionStore,
  type RedisConnection,
} from '@millrace/redis';
import { VirtualClock } from '@millrace/testkit';
import { assignmentOf, memberOf } from '../group-fixture.ts';
import { GroupModel } from './group-model.ts';
import { violations, type Happening, type PartitionState, type World } from './invariants.ts';
import { MEMBERS, PARTITIONS, type MemberId, type Operation, type Partition } from './operations.ts';
import { PartitionModel, type StoredOwnership } from './partition-model.ts';

const GROUP = 'billing';

/** Both answers to one operation, and what is needed to judge them. */
interface Answers {
  readonly real: unknown;
  readonly model: unknown;
  readonly fence?: Fence;
}

interface Acquisition {
  readonly request: AcquireRequest;
  readonly fence: Fence;
}

interface Seek {
  readonly fence: Fence;
  readonly offset: number;
  readonly nextNonce: string;
}

export class TwoWorlds {
  readonly #redis: RedisConnection;
  readonly #keys;
  readonly #store: RedisGroupStore;
  readonly #partitionStore: RedisPartitionStore;
  readonly #log: RedisLog;
  readonly #group = new GroupModel();
  readonly #partitions = new Map(PARTITIONS.map((partition) => [partition, new PartitionModel()]));
  /** Everything that was ever handed out, newest first: what a zombie may come back with. */
  readonly #descriptions = new Map<MemberId, MemberDescription[]>(MEMBERS.map((memberId) => [memberId, []]));
  readonly #claims = new Map<Partition, { memberId: string; claim: number }[]>(
    PARTITIONS.map((key) => [key, []]),
  );
  readonly #acquisitions = new Map<Partition, Acquisition[]>(PARTITIONS.map((key) => [key, []]));
  /** The last one of each, to be repeated. */
  readonly #seeks = new Map<Partition, Seek>();
  readonly #appended = new Map<Partition, number>();
  #world: World | null = null;
  #leaderEpoch = 0;
  #server = '';
  #count = 0;

  constructor(redis: RedisConnection, prefix: string) {
    this.#redis = redis;
    this.#keys = createKeys(prefix);
    this.#store = new RedisGroupStore(redis, this.#keys, GROUP, new VirtualClock());
    this.#partitionStore = new RedisPartitionStore(redis, this.#keys);
    this.#log = new RedisLog(redis, this.#keys);
  }

  /** A leader, three members and two partitions of ten records. */
  async begin(): Promise<void> {
    this.#server = /master_replid:(\w+)/.exec(await this.#redis.info('replication'))?.[1] ?? '';
    for (const model of [this.#group, ...this.#partitions.values()]) model.server = this.#server;
    for (const partition of PARTITIONS) {
      await this.#redis.hset(this.#partitionKeys(partition).state, { start: 0, end: 0, incarnation: '1-x' });
      await this.perform({ kind: 'append', partition, count: 10 });
    }
    const leader = memberOf('leader');
    await this.#store.join(leader);
    this.#group.join(leader);
    await this.#elect();
    this.#world = null;
    for (const member of MEMBERS) {
      await this.perform({ kind: 'join', member, isNew: true, capacity: 1, takeOver: 'none' });
    }
    await this.perform({ kind: 'publish', leads: true, isCurrent: true, target: 'a' });
  }

  /** Throws when the worlds differ or an invariant is broken. */
  async perform(operation: Operation): Promise<void> {
    const before = this.#world ?? (await this.#look());
    const { real, model, fence = null } = await this.#answers(operation);
    if (!isDeepStrictEqual(real, model)) throw difference(operation, 'answered', real, model);
    const after = await this.#look();
    this.#world = after;
    const expected = this.#modelWorld(after);
    if (!isDeepStrictEqual(after, expected)) throw difference(operation, 'left', after, expected);

    const status = statusOf(real);
    const partition = 'partition' in operation ? operation.partition : null;
    const handedOut =
      partition === null ? [] : (this.#acquisitions.get(partition) ?? []).map((one) => one.fence);
    const acquired = operation.kind === 'acquire' ? (real as Happening['acquired']) : null;
    const broken = violations(before, after, { operation, fence, handedOut, status, acquired });
    if (broken.length > 0) throw new Error(`${JSON.stringify(operation)} broke ${broken.join(', ')}`);
  }

  async #answers(operation: Operation): Promise<Answers> {
    switch (operation.kind) {
      case 'join':
        return this.#join(operation);
      case 'heartbeat':
      case 'leave': {
        const { memberId, session } = this.#description(operation.member, operation.age);
        const real = await this.#store[operation.kind](memberId, session);
        return { real, model: this.#group[operation.kind](memberId, session) };
      }
      case 'evict': {
        const { member, leads, hasMoved, reason } = operation;
        const epoch = this.#leaderEpoch - (leads ? 0 : 1);
        const beat = (this.#group.snapshot().beats.get(member) ?? 0) - (hasMoved ? 1 : 0);
        const real = await this.#store.evict(epoch, member, beat, reason);
        return { real, model: this.#group.evict(epoch, member, beat, reason) };
      }
      case 'publish': {
        const leaderEpoch = this.#leaderEpoch - (operation.leads ? 0 : 1);
        const generation = this.#group.snapshot().generation - (operation.isCurrent ? 0 : 1);
        const request = {
          leaderEpoch,
          generation,
          assignment: assignmentOf({ [operation.target]: [1, 0], leader: [] }),
          incarnations: new Map([['orders', `${generation}-${operation.target}`]]),
          deputies: [operation.target],
          moves: 0,
          orphans: this.#orphans(),
        };
        const real = await this.#store.publish(request);
        return { real, model: this.#group.publish(request) };
      }
      case 'update': {
        const { member, age, capacity } = operation;
        const description = { ...this.#description(member, age), capacity };
        const real = await this.#store.update(description, 'capacity');
        if (real === 'OK') this.#descriptions.get(member)?.unshift(description);
        return { real, model: this.#group.update(description) };
      }
      case 'depose': {
        const leader = { memberId: 'leader', epoch: this.#leaderEpoch - (operation.isCurrent ? 0 : 1) };
        const answers = {
          real: await this.#store.depose(leader, operation.reason),
          model: this.#group.depose(leader, operation.reason),
        };
        await this.#elect();
        return answers;
      }
      case 'bump': {
        const leaderEpoch = this.#leaderEpoch - (operation.leads ? 0 : 1);
        const generation = this.#group.snapshot().generation - (operation.isCurrent ? 0 : 1);
        const real = await this.#store.bumpGeneration(leaderEpoch, generation, 'a topic');
        return { real, model: this.#group.bumpGeneration(leaderEpoch, generation) };
      }
      case 'look': {
        const { member } = operation;
        const signs = await this.#store.watch([...MEMBERS, 'nobody']);
        return {
          real: [
            await this.#store.readTarget(member),
            await this.#store.readAssignment(),
            { ...signs, serverTimeMs: 0 },
          ],
          model: [
            this.#group.readTarget(member),
            this.#group.readAssignment(),
            this.#group.watch([...MEMBERS, 'nobody'], 0),
          ],
        };
      }
      case 'claim': {
        const { memberId, session } = this.#description(operation.member, operation.age);
        const { assignmentGeneration } = this.#group.snapshot();
        const request = {
          memberId,
          session,
          assignmentGeneration: assignmentGeneration - (operation.isCurrent ? 0 : 1),
          partitions: operation.partitions,
          lowest: operation.raise === 0 ? 0 : this.#newestClaim() + operation.raise,
        };
        const real = await this.#store.claim(request);
        if (real.status === 'CLAIMED') {
          for (const key of operation.partitions) {
            if (real.granted.includes(key)) this.#claims.get(key)?.unshift({ memberId, claim: real.claim });
          }
        }
        return { real, model: this.#group.claim(request) };
      }
      case 'unclaim': {
        const { memberId, claim } = pick(this.#claims.get(operation.partition), operation.age) ?? NO_CLAIM;
        const given = new Map([[operation.partition, claim]]);
        const real = await this.#store.unclaim(memberId, given);
        return { real, model: this.#group.unclaim(memberId, given) };
      }
      case 'acquire':
        return this.#acquire(operation);
      case 'commit':
      case 'seek':
      case 'release':
        return this.#fencedWrite(operation);
      case 'repeat-seek':
        return this.#seek(
          operation.partition,
          this.#seeks.get(operation.partition) ?? this.#noSeek(operation.partition),
        );
      case 'append':
        return this.#append(operation.partition, operation.count);
      case 'truncate':
        return this.#truncate(operation);
      case 'rollback':
        return this.#rollback(operation.claims);
      default:
        return operation satisfies never;
    }
  }

  async #elect(): Promise<void> {
    const { session } = memberOf('leader');
    this.#leaderEpoch = (await this.#store.elect('leader', session)) ?? 0;
    const epoch = this.#group.elect('leader', session);
    if (epoch !== this.#leaderEpoch)
      throw new Error(`Redis elected with epoch ${this.#leaderEpoch}, the model ${epoch}`);
  }

  /** What a leader takes away with an assignment: here of members that are gone, whatever they are assigned to. */
  #orphans(): Map<Partition, { memberId: string; claim: number }> {
    const orphans = new Map<Partition, { memberId: string; claim: number }>();
    const { members, owners } = this.#group.snapshot();
    for (const partition of PARTITIONS) {
      const owner = owners.get(partition);
      if (owner !== undefined && !members.has(owner.memberId)) orphans.set(partition, owner);
    }
    return orphans;
  }

  async #join({ member, isNew, capacity, takeOver }: Operation & { kind: 'join' }): Promise<Answers> {
    const known = this.#descriptions.get(member) ?? [];
    const newest = known[0];
    const description =
      isNew || newest === undefined
        ? memberOf(member, { session: `session-${this.#next()}`, capacity })
        : newest;
    const beat = (this.#group.snapshot().beats.get(member) ?? 0) - (takeOver === 'stale' ? 1 : 0);
    const seen = takeOver === 'none' ? undefined : { beat, evenIfPresent: false };
    const real = await this.#store.join(description, seen);
    if (real.status === 'JOINED' && description !== newest) known.unshift(description);
    return { real, model: this.#group.join(description, seen) };
  }

  async #acquire({ partition, age, repeats, reset }: Operation & { kind: 'acquire' }): Promise<Answers> {
    const { topic, number } = nameOf(partition);
    const { memberId, claim } = pick(this.#claims.get(partition), age) ?? NO_CLAIM;
    const before = pick(this.#acquisitions.get(partition), age)?.request;
    const nonce = `nonce-${this.#next()}`;
    const fresh = { topic, partition: number, group: GROUP, memberId, nonce, claim, offsetReset: reset };
    const request = repeats && before !== undefined ? before : fresh;
    const earliestMs = await this.#timeMs();
    const real = await this.#partitionStore.acquire(request);
    const latestMs = await this.#timeMs();
    // The model is told the time that Redis may have had: its own epoch where that is one, else one that cannot match.
    const timeMs =
      real.status === 'ACQUIRED' && real.epoch >= earliestMs && real.epoch <= latestMs
        ? real.epoch
        : earliestMs;
    const model = this.#partition(partition).acquire(request, timeMs);
    if (real.status === 'ACQUIRED' && request === fresh) {
      const { epoch, server } = real;
      const fence = { topic, partition: number, group: GROUP, epoch, nonce, server };
      this.#acquisitions.get(partition)?.unshift({ request, fence });
    }
    return { real, model };
  }

  async #fencedWrite(operation: Operation & { kind: 'commit' | 'seek' | 'release' }): Promise<Answers> {
    const { kind, partition, age, forged, offset } = operation;
    const { topic, number } = nameOf(partition);
    const held = pick(this.#acquisitions.get(partition), age)?.fence;
    const fence = { ...(held ?? this.#noFence(topic, number)) };
    if (forged === 'epoch') fence.epoch -= 1;
    if (forged === 'nonce') fence.nonce = 'guessed';
    if (forged === 'server') fence.server = 'before-the-failover';
    const model = this.#partition(partition);
    switch (kind) {
      case 'commit': {
        const fingerprint = `f${offset}`;
        const real = await this.#partitionStore.commit(fence, offset, fingerprint);
        return { real, model: model.commit(fence, offset, fingerprint), fence };
      }
      case 'seek':
        return this.#seek(partition, { fence, offset, nextNonce: `nonce-${this.#next()}` });
      case 'release':
        return { real: await this.#partitionStore.release(fence), model: model.release(fence), fence };
      default:
        return kind satisfies never;
    }
  }

  async #seek(partition: Partition, seek: Seek): Promise<Answers> {
    const { fence, offset, nextNonce } = seek;
    this.#seeks.set(partition, seek);
    const real = await this.#partitionStore.seek(fence, offset, nextNonce);
    const model = this.#partition(partition).seek(fence, offset, nextNonce);
    const acquisitions = this.#acquisitions.get(partition);
    const before = acquisitions?.find((one) => isDeepStrictEqual(one.fence, fence));
    if (real.status === 'SOUGHT' && real.from !== null && before !== undefined)
      acquisitions?.unshift({ ...before, fence: { ...fence, nonce: nextNonce } });
    return { real, model, fence };
  }

  #noSeek(partition: Partition): Seek {
    const { topic, number } = nameOf(partition);
    return { fence: this.#noFence(topic, number), offset: 0, nextNonce: 'never' };
  }

  #noFence(topic: string, partition: number): Fence {
    return { topic, partition, group: GROUP, epoch: 0, nonce: 'none', server: this.#server };
  }

  async #append(partition: Partition, count: number): Promise<Answers> {
    const { topic, number } = nameOf(partition);
    const sequence = this.#appended.get(partition) ?? 0;
    const values = Array.from({ length: count }, () => ({ value: 'v', timestampMs: 0 }));
    const result = await this.#log.append({
      topic,
      partition: number,
      producerId: 'producer',
      producerEpoch: 0,
      sequence,
      recordCount: count,
      batch: encodeBatch(values),
    });
    if (result.status !== 'APPENDED') throw new Error(`not appended: ${result.status}`);
    this.#appended.set(partition, sequence + count);
    return { real: result.baseOffset, model: this.#partition(partition).append(count) };
  }

  /** Written past the scripts: trimming and the loss of a tail are not theirs. The stream itself is not looked at. */
  async #truncate({ partition, start, lost }: Operation & { kind: 'truncate' }): Promise<Answers> {
    const keys = this.#partitionKeys(partition);
    const end = Math.max(0, Number(await this.#redis.hget(keys.state, 'end')) - lost);
    const first = Math.min(start, end);
    await this.#redis.del(keys.log);
    await this.#redis.xadd(keys.log, `0-${Math.max(1, end)}`, 't', '0', 'b', '');
    await this.#redis.hset(keys.state, { start: first, end: Math.max(1, end) });
    this.#partition(partition).setLog(first, Math.max(1, end));
    return { real: undefined, model: undefined };
  }

  /** A failover of the group's slot that loses its last claims: their numbers are given out again. */
  async #rollback(lost: number): Promise<Answers> {
    const { state, owners } = this.#keys.group(GROUP);
    const left = Math.max(0, Number(await this.#redis.hget(state, 'claims')) - lost);
    const later = [...this.#group.snapshot().owners].filter(([, { claim }]) => claim > left);
    await this.#redis.hset(state, 'claims', left);
    for (const [partition] of later) await this.#redis.hdel(owners, partition);
    this.#group.rollBackClaims(left);
    return { real: undefined, model: undefined };
  }

  async #look(): Promise<World> {
    const [group, ...states] = await Promise.all([
      this.#store.snapshot(),
      ...PARTITIONS.map(async (partition): Promise<[Partition, PartitionState]> => {
        const keys = this.#partitionKeys(partition);
        const [logEnd, fields] = await Promise.all([
          this.#redis.hget(keys.state, 'end'),
          this.#redis.hgetall(keys.group(GROUP)),
        ]);
        return [partition, { logEnd: Number(logEnd), stored: storedOf(fields) }];
      }),
    ]);
    return { group, partitions: new Map(states) };
  }

  #modelWorld(real: World): World {
    const partitions = new Map<Partition, PartitionState>();
    for (const [partition, { logEnd }] of real.partitions) {
      partitions.set(partition, { logEnd, stored: this.#partition(partition).stored });
    }
    return { group: this.#group.snapshot(), partitions };
  }

  async #timeMs(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  #partition(partition: Partition): PartitionModel {
    return this.#partitions.get(partition) ?? new PartitionModel();
  }

  #partitionKeys(partition: Partition) {
    const { topic, number } = nameOf(partition);
    return this.#keys.partition(topic, number);
  }

  #description(member: MemberId, age: number): MemberDescription {
    return pick(this.#descriptions.get(member), age) ?? memberOf(member);
  }

  #newestClaim(): number {
    return Math.max(0, ...[...this.#claims.values()].map((claims) => claims[0]?.claim ?? 0));
  }

  #next(): number {
    return ++this.#count;
  }
}

const NO_CLAIM = { memberId: 'a', claim: 0 };

function nameOf(partition: Partition): { topic: string; number: number } {
  return { topic: 'orders', number: Number(partition.slice('orders/'.length)) };
}

function pick<T>(newestFirst: readonly T[] | undefined, age: number): T | undefined {
  return newestFirst?.[Math.min(age, newestFirst.length - 1)];
}

function storedOf(fields: Record<string, string>): StoredOwnership | null {
  if (fields['epoch'] === undefined) return null;
  return {
    claim: Number(fields['claim']),
    epoch: Number(fields['epoch']),
    committed: Number(fields['committed']),
    fingerprint: fields['fingerprint'] ?? '',
    resetFrom: fields['resetFrom'] === undefined ? null : Number(fields['resetFrom']),
    owner: fields['owner'] ?? null,
    nonce: fields['nonce'] ?? null,
  };
}

function statusOf(answer: unknown): string {
  if (typeof answer === 'string') return answer;
  if (typeof answer === 'object' && answer !== null && 'status' in answer) return String(answer.status);
  return 'DONE';
}

function difference(operation: Operation, what: string, real: unknown, model: unknown): Error {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_key, field: unknown) => (field instanceof Map ? [...field.entries()] : field));
  return new Error(`${JSON.stringify(operation)}: Redis ${what} ${text(real)}, the model ${text(model)}`);
}
