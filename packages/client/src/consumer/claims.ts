/**
 * This member's claims in the group's slot: taken before a partition is acquired in its own slot, and given back when
 * nothing came of it. Each has a number that only rises; the partition's slot refuses an acquire with an older one.
 */
import type { GroupStore, PartitionKey, PartitionStore } from '@millrace/core';
import type { Acquisitions } from './acquisitions.ts';
import type { Identity } from './identity.ts';
import type { Lane } from './lane.ts';
import type { Releases } from './releases.ts';

export interface ClaimsPort {
  readonly group: GroupStore;
  readonly partitions: PartitionStore;
  /** Null while this member is in no group. */
  identity(): Identity | null;
  isClosed(): boolean;
  isHeld(key: PartitionKey): boolean;
  onUnknownMember(): void;
  onAcquired(lanes: readonly Lane[], generation: number): void;
}

export class Claims<V> {
  readonly #port: ClaimsPort;
  readonly #acquisitions: Acquisitions;
  readonly #releases: Releases<V>;
  /** This member's entries in the group's slot, each with its number: others wait for what is in there. */
  readonly #numbers = new Map<PartitionKey, number>();
  /** The group's slot may have gone back, and what was given back stand in it again. */
  #isSuspect = false;

  constructor(port: ClaimsPort, acquisitions: Acquisitions, releases: Releases<V>) {
    this.#port = port;
    this.#acquisitions = acquisitions;
    this.#releases = releases;
  }

  /** The member has joined. `claims` are those that a static member's predecessor has left to it. */
  begin(claims: ReadonlyMap<PartitionKey, number>): void {
    this.#numbers.clear();
    for (const [key, claim] of claims) this.#numbers.set(key, claim);
  }

  /** Another server answers now: it may not have what this member did last. */
  suspect(): void {
    this.#isSuspect = true;
  }

  /**
   * Learns anew what stands in the group's slot in this member's name, where that is in doubt. Not with every look: the
   * whole group is read for it.
   */
  async lookUp({ memberId }: Identity): Promise<void> {
    if (!this.#isSuspect) return;
    // Before the look: a change in the midst of it asks for another one.
    this.#isSuspect = false;
    try {
      const { owners } = await this.#port.group.snapshot();
      if (this.#port.identity()?.memberId !== memberId) return;
      for (const [key, owner] of owners) if (owner.memberId === memberId) this.#numbers.set(key, owner.claim);
    } catch (error) {
      this.#isSuspect = true;
      throw error;
    }
  }

  /** The claim is out of the group's slot; a newer one of the same partition stands. */
  onUnclaimed(key: PartitionKey, claim: number): void {
    if (this.#numbers.get(key) === claim) this.#numbers.delete(key);
  }

  /**
   * Claimed and then assigned to another before it could begin, lost and not taken again, left by a predecessor: nobody
   * else would take the claim away, and the heir would wait until the leader does. A handler of a lost lane that does not
   * come back is no reason to wait: what it may still do, its heir's fence is for.
   */
  giveUnusedBack(target: readonly PartitionKey[]): void {
    const wanted = new Set(target);
    for (const [key, claim] of this.#numbers) {
      if (wanted.has(key) || this.#port.isHeld(key) || this.#releases.drainingLane(key) !== undefined)
        continue;
      this.#releases.unclaim(key, claim);
    }
  }

  /** Claims and acquires. `waiting`: others hold some of it still; `again`: the assignment is another one by now. */
  async take(
    identity: Identity,
    generation: number,
    wanted: readonly PartitionKey[],
  ): Promise<'complete' | 'waiting' | 'again'> {
    let pending = wanted;
    let lowest = 0;
    let isWaiting = false;
    while (pending.length > 0) {
      const result = await this.#port.group.claim({
        ...identity,
        assignmentGeneration: generation,
        partitions: pending,
        lowest,
      });
      switch (result.status) {
        case 'STALE_ASSIGNMENT':
          return 'again';
        case 'UNKNOWN_MEMBER':
          this.#port.onUnknownMember();
          return 'complete';
        case 'CLAIMED': {
          if (result.held.size > 0) isWaiting = true;
          for (const key of result.granted) this.#numbers.set(key, result.claim);
          const superseded = await this.#acquire(identity, generation, result.claim, result.granted);
          if (superseded.size > 0) lowest = Math.max(...superseded.values()) + 1;
          const answered = new Set([...result.granted, ...result.held.keys()]);
          pending = pending.filter((key) => superseded.has(key) || !answered.has(key));
          break;
        }
        default:
          result satisfies never;
      }
      if (this.#port.identity() !== identity || this.#port.isClosed()) return 'complete';
    }
    return isWaiting ? 'waiting' : 'complete';
  }

  /** Answers the partitions whose own slot has seen a later claim. */
  async #acquire(
    identity: Identity,
    generation: number,
    claim: number,
    granted: readonly PartitionKey[],
  ): Promise<ReadonlyMap<PartitionKey, number>> {
    const claimed = { memberId: identity.memberId, generation, claim };
    const { lanes, superseded, failures } = await this.#acquisitions.acquire(claimed, granted);
    if (this.#port.identity() !== identity || this.#port.isClosed()) {
      // The member is another one by now: what was acquired for the old one is given back.
      await Promise.allSettled(lanes.map((lane) => this.#port.partitions.release(lane.fence)));
      for (const lane of lanes) this.#releases.unclaim(lane.key, lane.claim);
      await this.#releases.settled();
      return new Map();
    }
    this.#port.onAcquired(lanes, generation);
    if (failures.length > 0) throw failures[0];
    return superseded;
  }
}
