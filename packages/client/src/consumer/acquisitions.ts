/**
 * From a claim in the group's slot to a lane: acquires in each partition's own slot, looks whether the log still holds
 * what this member has delivered of it, and says where delivery begins.
 */
import {
  parsePartitionKey,
  type AcquireRequest,
  type AcquireResult,
  type DataError,
  type MillraceError,
  type OffsetReset,
  type PartitionKey,
  type PartitionStore,
  type Random,
} from '@millrace/core';
import type { RecordsTrimmedEvent } from './consumer-events.ts';
import type { DeliveredTrails } from './delivered-trails.ts';
import { Lane, type LanePort, type LaneSettings } from './lane.ts';
import { noOffset, offsetMoved, recordsTrimmed } from './offset-problems.ts';

export interface AcquisitionPort {
  readonly random: Pick<Random, 'nonce'>;
  readonly partitions: PartitionStore;
  readonly trails: DeliveredTrails;
  readonly lane: LanePort;
  onError(error: MillraceError): void;
  onTrimmed(event: RecordsTrimmedEvent): void;
  /** Deleted since the assignment was computed; the leader will see it and compute anew. */
  onUnknownPartition(key: PartitionKey, claim: number): void;
}

export interface AcquisitionSettings extends LaneSettings {
  readonly group: string;
  readonly offsetReset: OffsetReset;
}

export interface Claimed {
  readonly memberId: string;
  /** Of the assignment that the claim is for. */
  readonly generation: number;
  readonly claim: number;
}

export interface Acquired {
  readonly lanes: readonly Lane[];
  /** Partitions whose own slot has seen a later claim, with its number. */
  readonly superseded: ReadonlyMap<PartitionKey, number>;
  /** What Redis threw: for these partitions nothing is known. */
  readonly failures: readonly unknown[];
}

export class Acquisitions {
  readonly #port: AcquisitionPort;
  readonly #settings: AcquisitionSettings;
  /** Partitions that cannot begin (no offset, and the policy is to fail), with the generation that this was found in. */
  readonly #refused = new Map<PartitionKey, number>();

  constructor(port: AcquisitionPort, settings: AcquisitionSettings) {
    this.#port = port;
    this.#settings = settings;
  }

  /** Found to have no place to begin, and nothing has changed since. */
  isRefused(key: PartitionKey, generation: number): boolean {
    return this.#refused.get(key) === generation;
  }

  /** All at once. */
  async acquire(claimed: Claimed, granted: readonly PartitionKey[]): Promise<Acquired> {
    const superseded = new Map<PartitionKey, number>();
    const lanes: Lane[] = [];
    const failures: unknown[] = [];
    await Promise.all(
      granted.map(async (key) => {
        const { topic, partition } = parsePartitionKey(key);
        const { group, offsetReset } = this.#settings;
        const { memberId, claim } = claimed;
        const nonce = this.#port.random.nonce();
        const request = { topic, partition, group, memberId, nonce, claim, offsetReset };
        try {
          const result = await this.#port.partitions.acquire(request);
          if (result.status === 'SUPERSEDED') superseded.set(key, result.claim);
          if (result.status === 'NO_OFFSET') this.#refused.set(key, claimed.generation);
          const lane = await this.#begin(key, request, result);
          if (lane !== null) lanes.push(lane);
        } catch (error) {
          failures.push(error);
        }
      }),
    );
    return { lanes, superseded, failures };
  }

  async #begin(key: PartitionKey, request: AcquireRequest, result: AcquireResult): Promise<Lane | null> {
    const { topic, partition, group, claim, nonce } = request;
    switch (result.status) {
      case 'SUPERSEDED':
        return null;
      case 'UNKNOWN_PARTITION':
        this.#port.onUnknownPartition(key, claim);
        return null;
      case 'NO_OFFSET':
        this.#tellTrimmed(recordsTrimmed(key, group, result));
        this.#port.onError(noOffset(key, group, result));
        return null;
      case 'ACQUIRED': {
        const { epoch, server, committed, logEnd, incarnation, reset } = result;
        const acquired = { ...result, resetFrom: reset?.from ?? null };
        const hold = await this.#port.trails.verify(key, acquired);
        this.#tellTrimmed(recordsTrimmed(key, group, result));
        const moved = offsetMoved(key, group, result);
        if (moved !== null) this.#port.onError(moved);
        return this.#createLane(hold, {
          fence: { topic, partition, group, epoch, nonce, server },
          claim,
          committed,
          logEnd,
          incarnation,
          trail: this.#port.trails.trail(key, acquired),
        });
      }
      default:
        return result satisfies never;
    }
  }

  #tellTrimmed(event: RecordsTrimmedEvent | null): void {
    if (event !== null) this.#port.onTrimmed(event);
  }

  /** With `hold` it is owned and does not begin: that error has been told already. */
  #createLane(hold: DataError | null, ownership: ConstructorParameters<typeof Lane>[2]): Lane {
    const lane = new Lane(this.#port.lane, this.#settings, ownership);
    lane.halted = hold;
    return lane;
  }
}
