/**
 * Reading assignments: who has what, and how far two of them are apart.
 */
import type { Assignment } from './types.ts';

/** Nobody owns anything: the `current` of a new group. */
export const emptyAssignment: Assignment = { memberIds: [], owners: new Map() };

/**
 * Topic to partitions, ascending, of one member; topics of which it has none are left out. Empty for an unknown member.
 * Reads the whole assignment: for all members use `partitionsByMember`, which reads it once.
 */
export function partitionsOf(assignment: Assignment, memberId: string): Map<string, number[]> {
  const partitions = new Map<string, number[]>();
  const m = assignment.memberIds.indexOf(memberId);
  if (m < 0) return partitions;
  for (const [topic, owners] of assignment.owners) {
    const owned: number[] = [];
    for (let p = owners.indexOf(m); p >= 0; p = owners.indexOf(m, p + 1)) owned.push(p);
    if (owned.length > 0) partitions.set(topic, owned);
  }
  return partitions;
}

/** `partitionsOf` for every member, idle ones included, in one pass over the partitions. */
export function partitionsByMember(assignment: Assignment): Map<string, Map<string, number[]>> {
  const byNumber = assignment.memberIds.map(() => new Map<string, number[]>());
  for (const [topic, owners] of assignment.owners) {
    for (let p = 0; p < owners.length; p++) {
      const owned = byNumber[owners[p]!];
      if (owned === undefined) continue;
      const partitions = owned.get(topic);
      if (partitions === undefined) owned.set(topic, [p]);
      else partitions.push(p);
    }
  }
  return new Map(assignment.memberIds.map((memberId, m) => [memberId, byNumber[m]!]));
}

/**
 * Partitions that had an owner and now have another one. What is owned for the first time, or by nobody now, is no move.
 * The partitions of a member that left count: they do change hands, but no assignor can avoid it.
 */
export function countMoves(before: Assignment, after: Assignment): number {
  const numbersAfter = new Map(after.memberIds.map((memberId, m) => [memberId, m]));
  const numberOf = Int32Array.from(before.memberIds, (memberId) => numbersAfter.get(memberId) ?? -1);
  let moves = 0;
  for (const [topic, owners] of before.owners) {
    const ownersAfter = after.owners.get(topic);
    if (ownersAfter === undefined) continue;
    const end = Math.min(owners.length, ownersAfter.length);
    for (let p = 0; p < end; p++) {
      if (owners[p]! >= 0 && ownersAfter[p]! >= 0 && numberOf[owners[p]!] !== ownersAfter[p]) moves++;
    }
  }
  return moves;
}

/** Whether everybody has the same partitions in both; members that have none do not count. */
export function isSameDistribution(a: Assignment, b: Assignment): boolean {
  const inA = partitionsByMember(a);
  const inB = partitionsByMember(b);
  for (const memberId of new Set([...a.memberIds, ...b.memberIds])) {
    const ofA = inA.get(memberId) ?? new Map<string, number[]>();
    const ofB = inB.get(memberId) ?? new Map<string, number[]>();
    if (ofA.size !== ofB.size) return false;
    for (const [topic, partitions] of ofA)
      if (!isSameSequence(partitions, ofB.get(topic) ?? [])) return false;
  }
  return true;
}

/** `current` when it says the same as `next`, so that "nothing changed" is one comparison of references for callers. */
export function reuseUnchanged(current: Assignment, next: Assignment): Assignment {
  const isSame =
    isSameSequence(current.memberIds, next.memberIds) &&
    isSameSequence([...current.owners.keys()], [...next.owners.keys()]) &&
    [...next.owners].every(([topic, owners]) => isSameSequence(current.owners.get(topic)!, owners));
  return isSame ? current : next;
}

function isSameSequence<T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
