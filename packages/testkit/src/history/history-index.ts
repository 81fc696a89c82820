/**
 * The history sorted into what the checks ask for: records by partition, ownerships and commits by group and partition.
 * Built once, in one pass over the events.
 */
import type { FactEvent, HistoryEvent, HistoryOperations, InvokeEvent, OkEvent } from './history-event.ts';
import { Losses } from './losses.ts';
import { okOf, pairOperations, type Operation } from './pair-operations.ts';

/** A send that was acknowledged. */
export interface AckedSend {
  readonly invoke: InvokeEvent<'send'>;
  readonly ok: OkEvent<'send'>;
}

export type Acquired = Extract<HistoryOperations['acquire']['ok'], { status: 'ACQUIRED' }>;

/** One ownership as the process that had it saw it. */
export interface Ownership {
  readonly acquire: Operation<'acquire'>;
  readonly invoke: InvokeEvent<'acquire'>;
  readonly ok: OkEvent<'acquire'> & Acquired;
  /** Everything that its process wrote about it after the acquire, in order. */
  readonly events: HistoryEvent[];
}

/** One partition as one group consumes it. */
export interface GroupPartition {
  readonly group: string;
  readonly topic: string;
  readonly p: number;
  /** By the time at which the acquire was answered. */
  readonly ownerships: Ownership[];
  readonly deliveries: Delivery[];
  readonly commits: Commit[];
  readonly seeks: Operation<'seek'>[];
  finalCommitted: FactEvent<'final-committed'> | null;
}

export interface Delivery {
  readonly operation: Operation<'deliver'>;
  /** Null when this process never acquired the partition under this epoch. */
  readonly ownership: Ownership | null;
}

export interface Commit {
  readonly operation: Operation<'commit'>;
  /** Null when no acquire of this process returned this epoch for this nonce, and no seek of that ownership gave it. */
  readonly ownership: Ownership | null;
}

/** One partition of a topic, whoever consumes it. */
export interface PartitionLog {
  readonly topic: string;
  readonly p: number;
  readonly sends: AckedSend[];
  readonly deliveries: Operation<'deliver'>[];
  readonly truncations: FactEvent<'truncated'>[];
  finalLog: FactEvent<'final-log'> | null;
}

export interface HistoryIndex {
  readonly events: readonly HistoryEvent[];
  /** Every send, by topic and value. */
  readonly sends: ReadonlyMap<string, Operation<'send'>>;
  readonly partitions: ReadonlyMap<string, PartitionLog>;
  readonly groups: ReadonlyMap<string, GroupPartition>;
  readonly elections: readonly Operation<'elect'>[];
  readonly publications: readonly Operation<'publish'>[];
  readonly faults: readonly Operation<'fault'>[];
  readonly losses: Losses;
  readonly ackedCount: number;
}

/** Throws when one value was sent twice: records could not be told apart. `events` in merged order. */
export function indexHistory(events: readonly HistoryEvent[]): HistoryIndex {
  const operations = pairOperations(events);
  const sends = new Map<string, Operation<'send'>>();
  const partitions = new Map<string, PartitionLog>();
  const groups = new Map<string, GroupPartition>();
  let ackedCount = 0;

  const partitionOf = ({ topic, p }: { topic: string; p: number }): PartitionLog =>
    getOrAdd(partitions, `${topic}/${p}`, () => ({
      topic,
      p,
      sends: [],
      deliveries: [],
      truncations: [],
      finalLog: null,
    }));
  const groupOf = (at: { group: string; topic: string; p: number }): GroupPartition => {
    const { group, topic, p } = at;
    return getOrAdd(groups, `${group} ${topic}/${p}`, () => ({
      group,
      topic,
      p,
      ownerships: [],
      deliveries: [],
      commits: [],
      seeks: [],
      finalCommitted: null,
    }));
  };

  for (const operation of operations.send) {
    const { topic, value } = operation.invoke;
    const key = valueKey(topic, value);
    if (sends.has(key)) {
      throw new Error(
        `value "${value}" was sent to topic "${topic}" twice: the checker tells records apart by their values, make each another`,
      );
    }
    sends.set(key, operation);
    const ok = okOf(operation);
    if (ok === null) continue;
    ackedCount++;
    partitionOf({ topic, p: ok.p }).sends.push({ invoke: operation.invoke, ok });
  }

  const ownerships = collectOwnerships(operations.acquire, groupOf);
  const ownershipOf = (invoke: OwnershipRef): Ownership | null =>
    ownerships.get(ownershipKey(invoke)) ?? null;
  for (const operation of operations.deliver) {
    const { invoke } = operation;
    const delivery = { operation, ownership: ownershipOf(invoke) };
    groupOf(invoke).deliveries.push(delivery);
    partitionOf(invoke).deliveries.push(operation);
  }
  // A seek puts another nonce in the place of the one that the partition was acquired with.
  const soughtNonces = new Set(
    operations.seek.map(({ invoke }) => `${ownershipKey(invoke)} ${invoke.nextNonce ?? ''}`),
  );
  for (const operation of operations.commit) {
    const { invoke } = operation;
    const ownership = ownershipOf(invoke);
    const isKnown =
      ownership !== null &&
      (ownership.invoke.nonce === invoke.nonce ||
        soughtNonces.has(`${ownershipKey(invoke)} ${invoke.nonce}`));
    groupOf(operation.invoke).commits.push({ operation, ownership: isKnown ? ownership : null });
  }
  for (const operation of operations.seek) groupOf(operation.invoke).seeks.push(operation);

  for (const event of events) {
    if (event.f === 'final-log') partitionOf(event).finalLog = event;
    else if (event.f === 'final-committed') groupOf(event).finalCommitted = event;
    else if (event.f === 'truncated') partitionOf(event).truncations.push(event);
  }
  for (const { ownerships } of groups.values()) ownerships.sort((a, b) => a.ok.tMonoMs - b.ok.tMonoMs);
  fileEvents(events, ownershipOf);
  const { elect: elections, publish: publications, fault: faults } = operations;
  return {
    events,
    sends,
    partitions,
    groups,
    elections,
    publications,
    faults,
    losses: new Losses(faults),
    ackedCount,
  };
}

export function valueKey(topic: string, value: string): string {
  return `${topic} ${value}`;
}

interface OwnershipRef {
  readonly incarnation: string;
  readonly group: string;
  readonly topic: string;
  readonly p: number;
  readonly epoch: number;
}

function ownershipKey({ incarnation, group, topic, p, epoch }: OwnershipRef): string {
  return `${incarnation} ${group} ${topic}/${p} ${epoch}`;
}

function collectOwnerships(
  acquires: readonly Operation<'acquire'>[],
  groupOf: (at: { group: string; topic: string; p: number }) => GroupPartition,
): Map<string, Ownership> {
  const ownerships = new Map<string, Ownership>();
  for (const acquire of acquires) {
    const ok = okOf(acquire);
    const { invoke } = acquire;
    if (ok === null || ok.status !== 'ACQUIRED') continue;
    const key = ownershipKey({ ...invoke, epoch: ok.epoch });
    // The same call once more, after its first reply was lost.
    if (ownerships.get(key)?.invoke.nonce === invoke.nonce) continue;
    const ownership = { acquire, invoke, ok, events: [] };
    ownerships.set(key, ownership);
    groupOf(invoke).ownerships.push(ownership);
  }
  return ownerships;
}

/** Gives each ownership its events. A completion does not say whose it is; its invocation did. */
function fileEvents(
  events: readonly HistoryEvent[],
  ownershipOf: (ref: OwnershipRef) => Ownership | null,
): void {
  const open = new Map<string, Map<number, Ownership>>();
  for (const event of events) {
    if (event.f === 'acquire') continue;
    if ('epoch' in event && typeof event.epoch === 'number') {
      const ownership = ownershipOf(event);
      if (ownership === null) continue;
      ownership.events.push(event);
      if ('id' in event) getOrAdd(open, event.incarnation, () => new Map()).set(event.id, ownership);
    } else if ('id' in event && event.type !== 'invoke') {
      open.get(event.incarnation)?.get(event.id)?.events.push(event);
    }
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
