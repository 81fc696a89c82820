/**
 * The choice that is left once every subscriber has its floor share: who gets the extras. This module reads what the
 * current assignment suggests, and tells whether that already has spread and balance.
 *
 * All levels are whole multiples of 1/UNIT partitions, so that sums are exact and equal loads compare equal.
 */
import type { IndexedInput } from './indexed-input.ts';
import type { ShareRule, TopicShares } from './share-rule.ts';

/** One partition of load. Must exceed the longest chain of moves, and leave UNIT times the partitions below 2^53. */
export const UNIT = 2 ** 24;

/**
 * What a move costs, in load: one partition, and of equals the one with fewer moves. So an extra leaves its owner when
 * that evens the group out by more than it moves. Much less would shuffle a balanced group, much more would leave it uneven.
 */
export const MOVE_COST = UNIT + 1;

/** The same, and of equals the more even one: between members that differ by two, a move is now worth it. */
export const LEVELLING_MOVE_COST = UNIT - 1;

/** A topic that has extras. */
export interface ContestedTopic {
  readonly topic: number;
  readonly extras: number;
  /** Candidates by member number. The first `holders` of them have an extra. */
  readonly members: Int32Array;
  /** Beside `members`: 1 when that member owned more than its floor share, so that an extra saves a move. */
  readonly keeps: Uint8Array;
  /** How many of `keeps` are 1. */
  readonly owners: number;
  /** Equals `extras` once `settleExtras` has seen the topic. */
  holders: number;
}

export interface Extras {
  /** Per member number: its load less its target, in UNITs, with the extras that it holds. */
  readonly levels: Float64Array;
  readonly contested: readonly ContestedTopic[];
  /** True when the current assignment has the shape of the new one and every subscriber its floor or one more. */
  readonly hasSpread: boolean;
}

/** Starts with every extra where its partition is now, be they too few or too many. */
export function extrasOfCurrent(input: IndexedInput, rule: ShareRule): Extras {
  const reader = new CurrentReader(input, rule);
  const contested: ContestedTopic[] = [];
  let { isSameShape: hasSpread } = input.current;
  for (let t = 0; t < input.topics.length; t++) {
    const shares = rule.writeFloors(t, reader.floors);
    // Counting reads every partition: only where the counts can still decide something.
    if (hasSpread || shares.extras > 0) reader.count(t);
    hasSpread &&= reader.isSpread(t);
    if (shares.extras > 0) {
      const entry = reader.contest(t, shares);
      hasSpread &&= entry.holders === entry.extras;
      contested.push(entry);
    }
  }
  return { levels: reader.levels, contested, hasSpread };
}

class CurrentReader {
  readonly floors: Int32Array;
  readonly levels: Float64Array;
  readonly #input: IndexedInput;
  /** Per member number: partitions owned of the topic that was counted last. */
  readonly #counts: Int32Array;
  readonly #others: Int32Array;
  /** Room for the lists of all contested topics: thousands of small typed arrays would cost more than what is in them. */
  readonly #memberPool: Int32Array;
  readonly #keepPool: Uint8Array;
  #poolUsed = 0;

  constructor(input: IndexedInput, rule: ShareRule) {
    const size = input.members.length;
    const places = input.subscribers.reduce((sum, list) => sum + list.length, 0);
    this.#input = input;
    this.floors = new Int32Array(size);
    this.levels = new Float64Array(size);
    rule.addFloors(this.levels);
    for (let m = 0; m < size; m++)
      this.levels[m] = this.levels[m]! * UNIT - Math.round(rule.targets[m]! * UNIT);
    this.#counts = new Int32Array(size);
    this.#others = new Int32Array(size);
    this.#memberPool = new Int32Array(places);
    this.#keepPool = new Uint8Array(places);
  }

  count(topic: number): void {
    const counts = this.#counts;
    const { memberOf, owners } = this.#input.current;
    const before = owners[topic];
    counts.fill(0);
    if (before === undefined) return;
    const end = Math.min(before.length, this.#input.partitionCounts[topic]!);
    for (let p = 0; p < end; p++) {
      const owner = before[p]!;
      const m = owner < 0 ? -1 : memberOf[owner]!;
      if (m >= 0) counts[m]!++;
    }
  }

  /** Every subscriber owns its floor share or one more, and nobody else owns any. */
  isSpread(topic: number): boolean {
    const { floors } = this;
    const counts = this.#counts;
    const subscribers = this.#input.subscribers[topic]!;
    if (subscribers.length === 0)
      return this.#input.current.owners[topic]?.every((owner) => owner === -1) ?? true;
    let owned = 0;
    for (let i = 0; i < subscribers.length; i++) {
      const m = subscribers[i]!;
      const count = counts[m]!;
      if (count < floors[m]! || count > floors[m]! + 1) return false;
      owned += count;
    }
    return owned === this.#input.partitionCounts[topic];
  }

  /** The topic with an extra for each candidate that owns more than its floor. */
  contest(topic: number, { extras, candidates }: TopicShares): ContestedTopic {
    const { floors, levels } = this;
    const counts = this.#counts;
    const others = this.#others;
    const start = this.#poolUsed;
    this.#poolUsed += candidates.length;
    const members = this.#memberPool.subarray(start, this.#poolUsed);
    const keeps = this.#keepPool.subarray(start, this.#poolUsed);
    let holders = 0;
    let otherCount = 0;
    if (this.#input.current.owners[topic] === undefined) {
      members.set(candidates);
      return { topic, extras, members, keeps, owners: 0, holders };
    }
    for (let i = 0; i < candidates.length; i++) {
      const m = candidates[i]!;
      if (counts[m]! > floors[m]!) {
        members[holders++] = m;
        levels[m]! += UNIT;
      } else {
        others[otherCount++] = m;
      }
    }
    keeps.fill(1, 0, holders);
    members.set(others.subarray(0, otherCount), holders);
    return { topic, extras, members, keeps, owners: holders, holders };
  }
}

/** Balance: no extra could move to a candidate of its topic whose level is at least two partitions lower. */
export function hasBalance({ levels, contested }: Extras): boolean {
  return contested.every(({ members, holders }) => {
    let highest = -Infinity;
    let lowest = Infinity;
    for (let i = 0; i < members.length; i++) {
      const level = levels[members[i]!]!;
      if (i < holders) highest = Math.max(highest, level);
      else lowest = Math.min(lowest, level);
    }
    return highest - lowest < 2 * UNIT;
  });
}
