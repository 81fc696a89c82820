/**
 * What an even assignment must be, checked the slow and obvious way: from the definitions, with maps of names, sharing
 * no code with the assignor. `faults.test.ts` shows that each check catches what it is for.
 */
import type { Assignment, AssignmentInput } from '../types.ts';
import { verifyAssignment } from '../verify-assignment.ts';

/** Empty when the assignment is valid, spread and balanced; otherwise a line per fault. */
export function faultsOf(input: AssignmentInput, assignment: Assignment): string[] {
  return [
    ...verifyAssignment(input, assignment).map((problem) => problem.message),
    ...spreadFaults(input, assignment),
    ...balanceFaults(input, assignment),
  ];
}

/** Of P partitions over N subscribers each has floor(P/N) or one more, exactly P mod N one more. */
export function spreadFaults(input: AssignmentInput, assignment: Assignment): string[] {
  const faults: string[] = [];
  for (const [topic, partitions] of input.topics) {
    const subscribers = subscribersOf(input, topic);
    if (subscribers.length === 0) continue;
    const owned = countByMember(assignment, [topic]);
    const floor = Math.floor(partitions / subscribers.length);
    const above = subscribers.filter((memberId) => owned.get(memberId) === floor + 1).length;
    const uneven = subscribers.filter((memberId) => ![floor, floor + 1].includes(owned.get(memberId) ?? 0));
    if (uneven.length > 0)
      faults.push(`${topic}: ${uneven.join(', ')} neither at ${floor} nor at ${floor + 1}`);
    if (above !== partitions % subscribers.length) faults.push(`${topic}: ${above} members have one more`);
  }
  return faults;
}

/** No extra could move to a subscriber of its topic that owns at least two partitions less. */
export function balanceFaults(input: AssignmentInput, assignment: Assignment): string[] {
  const faults: string[] = [];
  const sizes = countByMember(assignment, assignment.owners.keys());
  for (const [topic, partitions] of input.topics) {
    const subscribers = subscribersOf(input, topic);
    const owned = countByMember(assignment, [topic]);
    const floor = Math.floor(partitions / subscribers.length);
    const sizesWhere = (hasExtra: boolean): number[] =>
      subscribers
        .filter((memberId) => (owned.get(memberId) ?? 0) > floor === hasExtra)
        .map((memberId) => sizes.get(memberId) ?? 0);
    const largest = Math.max(-Infinity, ...sizesWhere(true));
    const smallest = Math.min(Infinity, ...sizesWhere(false));
    if (largest - smallest >= 2)
      faults.push(`${topic}: an extra at ${largest}, a subscriber without at ${smallest}`);
  }
  return faults;
}

function subscribersOf(input: AssignmentInput, topic: string): string[] {
  return input.members.filter((member) => member.topics.includes(topic)).map((member) => member.memberId);
}

function countByMember(assignment: Assignment, topics: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const topic of topics) {
    for (const owner of assignment.owners.get(topic) ?? []) {
      const memberId = assignment.memberIds[owner];
      if (memberId !== undefined) counts.set(memberId, (counts.get(memberId) ?? 0) + 1);
    }
  }
  return counts;
}
