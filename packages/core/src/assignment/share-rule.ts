/**
 * How many partitions of one topic each of its subscribers gets: a floor share that is certain, and extras, at most one
 * a subscriber, for what the floors leave over. Who gets the extras is decided elsewhere, across all topics.
 */
import { ConfigError } from '../errors.ts';
import type { IndexedInput } from './indexed-input.ts';

export interface TopicShares {
  /** Partitions left over when everybody has the floor share; never more than there are candidates. */
  readonly extras: number;
  /** Numbers of the members that may get an extra, ascending. Shared: never write to it. */
  readonly candidates: Int32Array;
}

export interface ShareRule {
  /** Per member number: the load, in partitions, that the member is measured against. Equal for equal members. */
  readonly targets: Float64Array;
  /** Adds to each member, by number, its floor shares of all topics. */
  addFloors(loads: Float64Array): void;
  /** Writes the floor share of every subscriber of the topic to `floors`, one entry a member; leaves the others alone. */
  writeFloors(topic: number, floors: Int32Array): TopicShares;
}

const NO_CANDIDATES = new Int32Array(0);

/** P partitions over N subscribers: the floor of P/N each, and P mod N extras. */
export function equalShares(input: IndexedInput): ShareRule {
  return {
    targets: new Float64Array(input.members.length),
    addFloors(loads) {
      // Neighbours that share their list of subscribers, which with equal subscriptions all topics do, go in one step.
      let pending = 0;
      for (const [t, subscribers] of input.subscribers.entries()) {
        if (subscribers.length > 0) pending += Math.floor(input.partitionCounts[t]! / subscribers.length);
        if (pending === 0 || input.subscribers[t + 1] === subscribers) continue;
        for (let i = 0; i < subscribers.length; i++) loads[subscribers[i]!]! += pending;
        pending = 0;
      }
    },
    writeFloors(topic, floors) {
      const subscribers = input.subscribers[topic]!;
      const partitions = input.partitionCounts[topic]!;
      if (subscribers.length === 0) return { extras: 0, candidates: NO_CANDIDATES };
      const floor = Math.floor(partitions / subscribers.length);
      if (subscribers.length === floors.length) floors.fill(floor);
      else for (let i = 0; i < subscribers.length; i++) floors[subscribers[i]!] = floor;
      return { extras: partitions % subscribers.length, candidates: subscribers };
    },
  };
}

/** Quotients this close to a whole number are whole: 10 partitions times 0.1 / 1.0 must not round to 0 and an extra. */
const RELATIVE_ROUNDING = 1e-9;

/**
 * Shares in proportion to capacity: the floor of P·c/C each. Only a subscriber whose share is not whole may get an
 * extra, so nobody is more than one partition away from its exact share of a topic. Throws `INVALID_ASSIGNMENT` for a
 * capacity that is not a finite number above 0.
 */
export function weightedShares(input: IndexedInput): ShareRule {
  const capacities = Float64Array.from(input.members, ({ memberId, capacity = 1 }) => {
    if (Number.isFinite(capacity) && capacity > 0) return capacity;
    throw new ConfigError(
      'INVALID_ASSIGNMENT',
      `member "${memberId}" has capacity ${capacity}: a finite number above 0`,
    );
  });
  const writeFloors = (topic: number, floors: Int32Array): TopicShares => {
    const subscribers = input.subscribers[topic]!;
    const partitions = input.partitionCounts[topic]!;
    const total = sumOver(subscribers, capacities);
    const candidates = new Int32Array(subscribers.length);
    let candidateCount = 0;
    let extras = subscribers.length === 0 ? 0 : partitions;
    for (let i = 0; i < subscribers.length; i++) {
      const m = subscribers[i]!;
      const share = (partitions * capacities[m]!) / total;
      const whole = Math.round(share);
      const isWhole = Math.abs(share - whole) <= RELATIVE_ROUNDING * Math.max(1, share);
      const floor = isWhole ? whole : Math.floor(share);
      if (!isWhole) candidates[candidateCount++] = m;
      floors[m] = floor;
      extras -= floor;
    }
    return { extras, candidates: candidates.subarray(0, candidateCount) };
  };
  return {
    targets: proportionalTargets(input, capacities),
    addFloors(loads) {
      const floors = new Int32Array(loads.length);
      for (const [t, subscribers] of input.subscribers.entries()) {
        writeFloors(t, floors);
        for (let i = 0; i < subscribers.length; i++) loads[subscribers[i]!]! += floors[subscribers[i]!]!;
      }
    },
    writeFloors,
  };
}

/**
 * Extras go by the largest remainder of a member's whole load, not topic by topic: with many topics of one partition
 * the second would give all of them to the largest member.
 */
function proportionalTargets(input: IndexedInput, capacities: Float64Array): Float64Array {
  const targets = new Float64Array(capacities.length);
  let partitions = 0;
  for (const [t, subscribers] of input.subscribers.entries()) {
    const count = input.partitionCounts[t]!;
    if (count === 0) continue;
    if (subscribers.length > 0) partitions += count;
    for (let i = 0; i < subscribers.length; i++) targets[subscribers[i]!] = capacities[subscribers[i]!]!;
  }
  const total = targets.reduce((sum, capacity) => sum + capacity, 0);
  return targets.map((capacity) => (total === 0 ? 0 : (partitions * capacity) / total));
}

function sumOver(numbers: Int32Array, values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += values[numbers[i]!]!;
  return sum;
}
