/**
 * First step of the choice of extras: topic after topic gives its extras to the subscribers for whom one costs least,
 * with the choices of all other topics as they stand. That is the best answer for each topic by itself; what only a
 * chain of moves through several topics can better is left to `improve-extras.ts`.
 *
 * The first pass takes no extra from an owner that may keep it, at any price. Without it a member that joins while
 * another leaves would take extras from those who stay, topic by topic, before it comes to the ones that were left.
 */
import { LEVELLING_MOVE_COST, MOVE_COST, UNIT, type ContestedTopic, type Extras } from './extras.ts';
import { selectSmallest } from './select-smallest.ts';

/** Passes after which chains are the better tool. Measured: two to four reach the end unless chains are needed. */
const MAX_PASSES = 6;

/** More than any difference of levels: UNIT times the partitions of a group stays below it. */
const AT_ANY_PRICE = 2 ** 52;

/** Afterwards every topic has handed out exactly its extras. True when the choice is known to be the best there is. */
export function settleExtras(extras: Extras): boolean {
  const settling = new Settling(extras);
  for (const topic of extras.contested) {
    if (topic.holders !== topic.extras) settling.settle(topic, AT_ANY_PRICE);
  }
  // Nobody's extra was taken, so with no two members more than one apart both moves and imbalance are the least.
  if (settling.isLevel()) return true;
  let passes = 0;
  while (passes < MAX_PASSES && settling.settleAll(MOVE_COST)) passes++;
  return false;
}

/**
 * Last step: where a member still has two more than a subscriber of a topic that it holds an extra of, the extra moves.
 * After `improveExtras` each such move evens out by exactly what it costs, so that the sum of both stays the least.
 */
export function restoreBalance(extras: Extras): void {
  const settling = new Settling(extras);
  while (settling.settleAll(LEVELLING_MOVE_COST));
}

class Settling {
  readonly #levels: Float64Array;
  readonly #contested: readonly ContestedTopic[];
  #lowest: number;
  /** By place in the topic at hand: what an extra would cost there. */
  readonly #costs: Float64Array;
  readonly #ordered: Float64Array;
  readonly #leavingPlaces: Int32Array;

  constructor({ levels, contested }: Extras) {
    const size = contested.reduce((most, { members }) => Math.max(most, members.length), 0);
    this.#levels = levels;
    this.#contested = contested;
    this.#lowest = lowestOf(levels);
    this.#costs = new Float64Array(size);
    this.#ordered = new Float64Array(size);
    this.#leavingPlaces = new Int32Array(size);
  }

  isLevel(): boolean {
    let highest = -Infinity;
    for (let m = 0; m < this.#levels.length; m++) highest = Math.max(highest, this.#levels[m]!);
    return highest - this.#lowest <= UNIT;
  }

  /** True when an extra changed hands. */
  settleAll(moveCost: number): boolean {
    let hasChanged = false;
    for (const topic of this.#contested) hasChanged = this.settle(topic, moveCost) || hasChanged;
    return hasChanged;
  }

  settle(topic: ContestedTopic, moveCost: number): boolean {
    const { members, keeps, holders, extras, owners } = topic;
    const levels = this.#levels;
    const costs = this.#costs;
    let dearestHeld = -Infinity;
    let keepers = 0;
    for (let i = 0; i < holders; i++) {
      const cost = levels[members[i]!]! - UNIT - keeps[i]! * moveCost;
      costs[i] = cost;
      keepers += keeps[i]!;
      if (cost > dearestHeld) dearestHeld = cost;
    }
    if (holders === extras) {
      // Most topics are settled, and most have far more candidates than extras: seen without looking at the others.
      const leastOther = this.#lowest - (keepers < owners ? moveCost : 0);
      if (dearestHeld <= leastOther) return false;
    }
    let cheapestOther = Infinity;
    let equallyCheap = 0;
    for (let i = holders; i < members.length; i++) {
      const cost = levels[members[i]!]! - keeps[i]! * moveCost;
      costs[i] = cost;
      if (cost < cheapestOther) {
        cheapestOther = cost;
        equallyCheap = 1;
      } else if (cost === cheapestOther) equallyCheap++;
    }
    if (dearestHeld <= cheapestOther && holders <= extras) {
      if (holders === extras) return false;
      if (extras - holders <= equallyCheap) {
        this.#giveFree(topic, cheapestOther);
        return true;
      }
    }
    this.#handOver(topic);
    return true;
  }

  /** The common case of a hand-over: nobody loses an extra, and the free ones go to the first that cost `cheapest`. */
  #giveFree(topic: ContestedTopic, cheapest: number): void {
    const { members, keeps, extras } = topic;
    const levels = this.#levels;
    let next = topic.holders;
    for (let i = next; next < extras; i++) {
      if (this.#costs[i] !== cheapest) continue;
      levels[members[i]!]! += UNIT;
      // The one that makes room moves to place i, behind the search, and its cost is not looked at again.
      swapPlaces(members, keeps, i, next++);
    }
    topic.holders = extras;
    this.#lowest = lowestOf(levels);
  }

  /** Gives the extras to the cheapest. Equal costs: who holds one stays, then the order of the list decides. */
  #handOver(topic: ContestedTopic): void {
    const { members, keeps, holders, extras } = topic;
    const levels = this.#levels;
    const costs = this.#costs;
    const size = members.length;
    const ordered = this.#ordered.subarray(0, size);
    ordered.set(costs.subarray(0, size));
    const limit = selectSmallest(ordered, extras - 1);
    let atLimit = extras;
    for (let i = 0; i < size; i++) if (costs[i]! < limit) atLimit--;

    const leaving = this.#leavingPlaces;
    let leavingCount = 0;
    for (let i = 0; i < extras; i++) {
      const isChosen = costs[i]! < limit || (costs[i] === limit && atLimit-- > 0);
      if (!isChosen) leaving[leavingCount++] = i;
      if (isChosen !== i < holders) levels[members[i]!]! += isChosen ? UNIT : -UNIT;
    }
    for (let i = extras; i < size; i++) {
      const isChosen = costs[i]! < limit || (costs[i] === limit && atLimit-- > 0);
      if (isChosen !== i < holders) levels[members[i]!]! += isChosen ? UNIT : -UNIT;
      if (isChosen) swapPlaces(members, keeps, i, leaving[--leavingCount]!);
    }
    topic.holders = extras;
    this.#lowest = lowestOf(this.#levels);
  }
}

function swapPlaces(members: Int32Array, keeps: Uint8Array, a: number, b: number): void {
  const member = members[a]!;
  const keep = keeps[a]!;
  members[a] = members[b]!;
  keeps[a] = keeps[b]!;
  members[b] = member;
  keeps[b] = keep;
}

function lowestOf(levels: Float64Array): number {
  let lowest = Infinity;
  for (let m = 0; m < levels.length; m++) lowest = Math.min(lowest, levels[m]!);
  return lowest;
}
