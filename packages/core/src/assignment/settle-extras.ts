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
  const { levels, contested } = extras;
  const scratch = scratchFor(extras);
  for (const topic of contested) {
    if (topic.holders !== topic.extras) settleTopic(topic, levels, AT_ANY_PRICE, scratch);
  }
  // Nobody's extra was taken, so with no two members more than one apart both moves and imbalance are the least.
  if (isLevel(levels)) return true;
  let passes = 0;
  while (passes < MAX_PASSES && settleOnce(extras, MOVE_COST, scratch)) passes++;
  return false;
}

/**
 * Last step: where a member still has two more than a subscriber of a topic that it holds an extra of, the extra moves.
 * After `improveExtras` each such move evens out by exactly what it costs, so that the sum of both stays the least.
 */
export function restoreBalance(extras: Extras): void {
  const scratch = scratchFor(extras);
  while (settleOnce(extras, LEVELLING_MOVE_COST, scratch));
}

function settleOnce({ levels, contested }: Extras, moveCost: number, scratch: Scratch): boolean {
  let hasChanged = false;
  for (const topic of contested) hasChanged = settleTopic(topic, levels, moveCost, scratch) || hasChanged;
  return hasChanged;
}

function isLevel(levels: Float64Array): boolean {
  let lowest = Infinity;
  let highest = -Infinity;
  for (let m = 0; m < levels.length; m++) {
    lowest = Math.min(lowest, levels[m]!);
    highest = Math.max(highest, levels[m]!);
  }
  return highest - lowest <= UNIT;
}

function scratchFor({ contested }: Extras): Scratch {
  return new Scratch(contested.reduce((most, { members }) => Math.max(most, members.length), 0));
}

class Scratch {
  readonly costs: Float64Array;
  readonly ordered: Float64Array;
  readonly members: Int32Array;
  readonly keeps: Uint8Array;

  constructor(size: number) {
    this.costs = new Float64Array(size);
    this.ordered = new Float64Array(size);
    this.members = new Int32Array(size);
    this.keeps = new Uint8Array(size);
  }
}

function settleTopic(
  topic: ContestedTopic,
  levels: Float64Array,
  moveCost: number,
  scratch: Scratch,
): boolean {
  const { members, keeps, holders, extras } = topic;
  const { costs } = scratch;
  let dearestHeld = -Infinity;
  for (let i = 0; i < holders; i++) {
    const cost = levels[members[i]!]! - UNIT - keeps[i]! * moveCost;
    costs[i] = cost;
    if (cost > dearestHeld) dearestHeld = cost;
  }
  let cheapestOther = Infinity;
  for (let i = holders; i < members.length; i++) {
    const cost = levels[members[i]!]! - keeps[i]! * moveCost;
    costs[i] = cost;
    if (cost < cheapestOther) cheapestOther = cost;
  }
  if (holders === extras && dearestHeld <= cheapestOther) return false;
  handOver(topic, levels, scratch);
  return true;
}

/** Gives the extras to the cheapest. Equal costs: who holds one stays, then the order of the list decides. */
function handOver(topic: ContestedTopic, levels: Float64Array, scratch: Scratch): void {
  const { members, keeps, holders, extras } = topic;
  const { costs } = scratch;
  const size = members.length;
  const ordered = scratch.ordered.subarray(0, size);
  ordered.set(costs.subarray(0, size));
  const limit = selectSmallest(ordered, extras - 1);
  let atLimit = extras;
  for (let i = 0; i < size; i++) if (costs[i]! < limit) atLimit--;

  let nextHolder = 0;
  let nextOther = extras;
  for (let i = 0; i < size; i++) {
    const m = members[i]!;
    const isChosen = costs[i]! < limit || (costs[i] === limit && atLimit-- > 0);
    if (isChosen && i >= holders) levels[m]! += UNIT;
    if (!isChosen && i < holders) levels[m]! -= UNIT;
    const position = isChosen ? nextHolder++ : nextOther++;
    scratch.members[position] = m;
    scratch.keeps[position] = keeps[i]!;
  }
  members.set(scratch.members.subarray(0, size));
  keeps.set(scratch.keeps.subarray(0, size));
  topic.holders = extras;
}
