/**
 * What one consumer's user sees. I5: within one ownership, the committed offset first, and then one record after the
 * other. I7: when records that it was given are gone from the log, it is told so.
 */
import { partitionKey, type PartitionKey } from '@millrace/core';
import type { OwnedPartition } from 'millrace';
import type { LogReaderCheck } from './oracle.ts';
import type { PartitionSlot } from './partition-slot.ts';
import type { World } from './world.ts';

interface Delivered {
  readonly epoch: number;
  /** Next record. */
  next: number;
  /** A call has begun there and thrown: it may be repeated. */
  failedAt: number | null;
  isBusy: boolean;
  isOver: boolean;
  /** Offsets that were asked for by `seek` and may be next. */
  readonly sought: Set<number>;
}

export interface TruncationTold {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
}

export class DeliveryCheck implements LogReaderCheck {
  readonly #world: World;
  readonly #group: string;
  /** Name of the process's life. */
  readonly #owner: string;
  readonly #lanes = new Map<PartitionKey, Delivered>();
  /** Every record that a handler was given: value by offset. */
  readonly #given = new Map<PartitionKey, string[]>();
  /** The first record that is gone and that this consumer was not told of. */
  readonly #untold = new Map<PartitionKey, number>();
  delivered = 0;

  constructor(world: World, group: string, owner: string) {
    this.#world = world;
    this.#group = group;
    this.#owner = owner;
    world.oracle.readers.add(this);
  }

  /** The process is over: nobody can be told any more. */
  close(): void {
    this.#world.oracle.readers.delete(this);
    this.#untold.clear();
  }

  /** What the user should have been told by now. */
  untold(): string[] {
    return [...this.#untold]
      .filter(([key, from]) => from >= this.#logStart(key))
      .map(
        ([key, from]) =>
          `${this.#owner} was not told that ${key} lost record ${from} that ${this.#group} was given`,
      );
  }

  told({ topic, partition, from }: TruncationTold): void {
    const key = partitionKey(topic, partition);
    this.#world.simulation.note(`${this.#owner} is told that ${key} lost its records from ${from} on`);
    const given = this.#given.get(key);
    const first = this.#untold.get(key);
    if (first === undefined || from <= Math.max(first, this.#logStart(key))) {
      this.#untold.delete(key);
      given?.splice(from);
      return;
    }
    this.#fail('I7', `${this.#owner} was told that ${key} lost records from ${from} on, it is ${first}`);
  }

  /** What was lost, written anew and trimmed before anybody looked cannot be told apart from what was only trimmed. */
  #logStart(key: PartitionKey): number {
    return this.#world.redis.slot(key)?.log.start ?? 0;
  }

  rolledBack(key: PartitionKey, before: PartitionSlot, after: PartitionSlot): void {
    const given = this.#given.get(key);
    if (given === undefined) return;
    for (let offset = after.log.end; offset < before.log.end; offset++) {
      const value = given[offset];
      if (value !== undefined && value === before.values[offset]) this.#isGone(key, offset);
    }
  }

  /** By somebody's wish: another topic that has the name. */
  recreated(key: PartitionKey): void {
    this.#given.delete(key);
    this.#untold.delete(key);
  }

  #give(key: PartitionKey, first: number, values: readonly string[]): void {
    let given = this.#given.get(key);
    if (given === undefined) {
      given = [];
      this.#given.set(key, given);
    }
    const stored = this.#world.redis.slot(key)?.values ?? [];
    for (const [index, value] of values.entries()) {
      const offset = first + index;
      given[offset] = value;
      // Read before the log went back, given after it.
      if (stored[offset] !== value && this.#world.oracle.lostValues.has(value)) this.#isGone(key, offset);
    }
  }

  #isGone(key: PartitionKey, offset: number): void {
    this.#untold.set(key, Math.min(offset, this.#untold.get(key) ?? Infinity));
  }

  assigned(partitions: readonly (OwnedPartition & { readonly offset: number })[], memberId: string): void {
    const { failovers } = this.#world.oracle;
    for (const { topic, partition, epoch, offset } of partitions) {
      const key = partitionKey(topic, partition);
      const begin = this.#world.oracle.beginOf(this.#group, key, epoch);
      if (begin !== offset)
        this.#fail('I5', `${key}: epoch ${epoch} begins at ${offset}, acquired at ${begin}`);
      this.#lanes.set(key, {
        epoch,
        next: offset,
        failedAt: null,
        isBusy: false,
        isOver: false,
        sought: new Set(),
      });
      this.#world.ownership.own(this.#group, key, this.#owner, { epoch, memberId, failovers });
    }
  }

  /** Revoked or lost. */
  ended(partitions: readonly OwnedPartition[], how: string): void {
    for (const { topic, partition, epoch } of partitions) {
      const key = partitionKey(topic, partition);
      this.#world.simulation.note(`${this.#owner}: ${key} of ${this.#group} with epoch ${epoch} ${how}`);
      this.#world.ownership.giveUp(this.#group, key, this.#owner, epoch);
      const lane = this.#lanes.get(key);
      if (lane?.epoch === epoch) lane.isOver = true;
    }
  }

  sought(key: PartitionKey, offset: number): void {
    this.#lanes.get(key)?.sought.add(offset);
  }

  /** A partition that is owned here, drawn by `pick`. */
  ownedKeys(): PartitionKey[] {
    return [...this.#lanes].filter(([, lane]) => !lane.isOver).map(([key]) => key);
  }

  next(key: PartitionKey): number {
    return this.#lanes.get(key)?.next ?? 0;
  }

  /** A call of a handler begins. What it gives is called at its end, with the offset behind what is done. */
  begin(
    { topic, partition, epoch }: OwnedPartition,
    first: number,
    values: readonly string[],
    memberId: string,
  ): (done: number, hasThrown: boolean) => void {
    const key = partitionKey(topic, partition);
    const last = first + values.length - 1;
    const what = `${this.#owner}: ${key} of ${this.#group}, epoch ${epoch}`;
    const lane = this.#lanes.get(key);
    this.#world.simulation.note(`${what}: handler called with ${first} to ${last}`);
    this.#world.oracle.started(this.#group, key, memberId);
    if (lane === undefined || lane.epoch !== epoch || lane.isOver) {
      this.#fail(
        'unowned-delivery',
        `${what}: a handler was called with ${first} after the end, or before the beginning`,
      );
      return () => {};
    }
    if (lane.isBusy) this.#fail('I5', `${what}: two calls of a handler at a time`);
    if (first !== lane.next && first !== lane.failedAt && !lane.sought.delete(first)) {
      this.#fail('I5', `${what}: ${first} was delivered, ${lane.next} is next`);
    }
    lane.isBusy = true;
    lane.failedAt = null;
    lane.next = first;
    this.delivered += values.length;
    this.#give(key, first, values);
    return (done, hasThrown) => {
      lane.isBusy = false;
      lane.next = done;
      if (hasThrown) lane.failedAt = done;
    };
  }

  #fail(invariant: string, what: string): void {
    this.#world.simulation.fail(invariant, what);
  }
}
