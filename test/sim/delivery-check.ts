/** I5 for one member: within one ownership, the committed offset first, and then one record after the other. */
import { partitionKey, type PartitionKey } from '@millrace/core';
import type { OwnedPartition } from 'millrace';
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

export class DeliveryCheck {
  readonly #world: World;
  readonly #group: string;
  /** Name of the process's life. */
  readonly #owner: string;
  readonly #lanes = new Map<PartitionKey, Delivered>();
  delivered = 0;

  constructor(world: World, group: string, owner: string) {
    this.#world = world;
    this.#group = group;
    this.#owner = owner;
  }

  assigned(partitions: readonly (OwnedPartition & { readonly offset: number })[]): void {
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
      this.#world.ownership.own(this.#group, key, this.#owner, epoch);
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
    last: number,
    memberId: string,
  ): (done: number, hasThrown: boolean) => void {
    const key = partitionKey(topic, partition);
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
    if (lane.sought.has(first)) {
      lane.sought.delete(first);
    } else if (first !== lane.next && first !== lane.failedAt) {
      this.#fail('I5', `${what}: ${first} was delivered, ${lane.next} is next`);
    }
    lane.isBusy = true;
    lane.failedAt = null;
    lane.next = first;
    this.delivered += last - first + 1;
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
