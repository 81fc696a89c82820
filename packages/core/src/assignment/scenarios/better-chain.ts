/**
 * Proof for groups that are too large for brute force: is there a chain of moves, each handing one extra to another
 * subscriber of its topic, that lowers moves + half the squared sizes? When there is none, no assignment with spread costs
 * less. Shortest paths between all pairs of members (Floyd and Warshall): slow and plain, unlike the assignor's search.
 */
import type { Assignment, AssignmentInput } from '../types.ts';

/** Above 0 when there is one, and then what it saves (a cycle may be counted twice). `after` must have spread. */
export function savingOfBestChain(input: AssignmentInput, after: Assignment): number {
  const ids = input.members.map((member) => member.memberId);
  const cost = ids.map((_, a) => ids.map((_, b) => (a === b ? 0 : Infinity)));
  const sizes = ids.map(() => 0);
  for (const [topic, partitions] of input.topics) {
    const subscribers = ids.flatMap((_, m) => (input.members[m]!.topics.includes(topic) ? [m] : []));
    const floor = Math.floor(partitions / subscribers.length);
    const before = countsOf(input.current, topic, partitions, ids);
    const now = countsOf(after, topic, partitions, ids);
    const wasAbove = (m: number): number => (before[m]! > floor ? 1 : 0);
    for (const from of subscribers) {
      sizes[from]! += now[from]!;
      if (now[from]! <= floor) continue;
      for (const to of subscribers) {
        if (now[to]! > floor) continue;
        cost[from]![to] = Math.min(cost[from]![to]!, wasAbove(from) - wasAbove(to));
      }
    }
  }
  for (const via of ids.keys()) {
    for (const from of cost) {
      for (const to of ids.keys()) from[to] = Math.min(from[to]!, from[via]! + cost[via]![to]!);
    }
  }
  let best = 0;
  for (const [from, costs] of cost.entries()) {
    // To itself: a cycle, which changes no size.
    for (const [to, moves] of costs.entries()) {
      best = Math.min(best, from === to ? moves : moves + sizes[to]! - sizes[from]! + 1);
    }
  }
  return best === 0 ? 0 : -best;
}

function countsOf(
  assignment: Assignment,
  topic: string,
  partitions: number,
  ids: readonly string[],
): number[] {
  const counts = ids.map(() => 0);
  for (const owner of assignment.owners.get(topic)?.subarray(0, partitions) ?? []) {
    const m = ids.indexOf(assignment.memberIds[owner] ?? '');
    if (m >= 0) counts[m]!++;
  }
  return counts;
}
