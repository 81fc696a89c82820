/**
 * Brute force over every way to give partitions to subscribers: the answer that the sticky assignor is compared with.
 * Only for groups of a handful of partitions; it shares no code and no idea with the assignor.
 */
import type { AssignmentInput } from '../types.ts';

export interface Optimum {
  /** Fewest moves of all assignments that are valid, spread and balanced. */
  readonly fewestMoves: number;
  /** Least moves + half the sum of squared sizes of all assignments that are valid and spread. */
  readonly leastCost: number;
}

/** How many assignments there are to look at; the caller keeps it small. */
export function assignmentsToTry(input: AssignmentInput): number {
  let product = 1;
  for (const [topic, partitions] of input.topics) {
    const subscribers = input.members.filter((member) => member.topics.includes(topic)).length;
    product *= Math.max(1, subscribers) ** partitions;
  }
  return product;
}

interface Slot {
  readonly topic: number;
  /** Member numbers, in the order of `input.members`. */
  readonly choices: readonly number[];
  /** Member number of the current owner, -1 without one. */
  readonly before: number;
  /** Whether another owner is a move: it is one too when the current owner has left. */
  readonly isOwned: boolean;
}

export function optimumOf(input: AssignmentInput): Optimum {
  const slots = slotsOf(input);
  const topicCount = input.topics.size;
  const memberCount = input.members.length;
  const counts = Array.from({ length: topicCount }, () => zeros(memberCount));
  const sizes = zeros(memberCount);
  const subscribers = [...input.topics.keys()].map((topic) =>
    input.members.flatMap((member, m) => (member.topics.includes(topic) ? [m] : [])),
  );
  const partitions = [...input.topics.values()];
  let best: Optimum = { fewestMoves: Infinity, leastCost: Infinity };

  const visit = (index: number, moves: number): void => {
    const slot = slots[index];
    if (slot === undefined) {
      if (subscribers.every((list, t) => isSpread(list, counts[t]!, partitions[t]!)))
        best = compare(best, moves);
      return;
    }
    for (const m of slot.choices) {
      counts[slot.topic]![m]!++;
      sizes[m]!++;
      visit(index + 1, moves + (slot.isOwned && slot.before !== m ? 1 : 0));
      counts[slot.topic]![m]!--;
      sizes[m]!--;
    }
  };
  const compare = (known: Optimum, moves: number): Optimum => {
    const squares = sizes.reduce((sum, size) => sum + size * size, 0) / 2;
    const cost = moves + squares;
    const isBalanced = subscribers.every((list, t) =>
      hasNoBetterPlace(list, counts[t]!, partitions[t]!, sizes),
    );
    return {
      fewestMoves: isBalanced ? Math.min(known.fewestMoves, moves) : known.fewestMoves,
      leastCost: Math.min(known.leastCost, cost),
    };
  };
  visit(0, 0);
  return best;
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function slotsOf(input: AssignmentInput): Slot[] {
  return [...input.topics].flatMap(([topic, partitions], t) => {
    const choices = input.members.flatMap((member, m) => (member.topics.includes(topic) ? [m] : []));
    if (choices.length === 0) return [];
    return Array.from({ length: partitions }, (_, p): Slot => {
      const owner = input.current.owners.get(topic)?.[p] ?? -1;
      const before = input.members.findIndex((member) => member.memberId === input.current.memberIds[owner]);
      return { topic: t, choices, before, isOwned: owner >= 0 };
    });
  });
}

function isSpread(subscribers: readonly number[], counts: readonly number[], partitions: number): boolean {
  const floor = Math.floor(partitions / subscribers.length);
  return subscribers.every((m) => counts[m] === floor || counts[m] === floor + 1);
}

function hasNoBetterPlace(
  subscribers: readonly number[],
  counts: readonly number[],
  partitions: number,
  sizes: readonly number[],
): boolean {
  const floor = Math.floor(partitions / subscribers.length);
  return subscribers.every(
    (from) =>
      counts[from]! <= floor ||
      subscribers.every((to) => counts[to]! > floor || sizes[from]! - sizes[to]! < 2),
  );
}
