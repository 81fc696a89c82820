/**
 * What an even assignment must be, checked the slow and obvious way: from the definitions, with maps of names, sharing
 * no code with the assignor. `faults.test.ts` shows that each check catches what it is for.
 */
import type { Assignment, AssignmentInput } from '../types.ts';
import { verifyAssignment } from '../verify-assignment.ts';

/** Empty when the assignment is valid, spread and balanced; otherwise a line per fault. */
export function faultsOf(input: AssignmentInput, assignment: Assignment): string[] {
  const owned = topicsOwned(input, assignment);
  return [
    ...verifyAssignment(input, assignment).map((problem) => problem.message),
    ...spreadFaultsOf(owned),
    ...balanceFaultsOf(owned),
  ];
}

/** Of P partitions over N subscribers each has floor(P/N) or one more, exactly P mod N one more. */
export function spreadFaults(input: AssignmentInput, assignment: Assignment): string[] {
  return spreadFaultsOf(topicsOwned(input, assignment));
}

function spreadFaultsOf(all: readonly TopicOwned[]): string[] {
  const faults: string[] = [];
  for (const { topic, partitions, owned } of all) {
    const floor = Math.floor(partitions / owned.size);
    const uneven = [...owned]
      .filter(([, count]) => count !== floor && count !== floor + 1)
      .map(([memberId]) => memberId);
    const above = [...owned].filter(([, count]) => count === floor + 1).length;
    if (uneven.length > 0)
      faults.push(`${topic}: ${uneven.join(', ')} neither at ${floor} nor at ${floor + 1}`);
    if (above !== partitions % owned.size) faults.push(`${topic}: ${above} members at ${floor + 1}`);
  }
  return faults;
}

/** No extra could move to a subscriber of its topic that owns at least two partitions less. */
export function balanceFaults(input: AssignmentInput, assignment: Assignment): string[] {
  return balanceFaultsOf(topicsOwned(input, assignment));
}

function balanceFaultsOf(all: readonly TopicOwned[]): string[] {
  const faults: string[] = [];
  const sizes = new Map<string, number>();
  for (const { owned } of all) {
    for (const [memberId, count] of owned) sizes.set(memberId, (sizes.get(memberId) ?? 0) + count);
  }
  for (const { topic, partitions, owned } of all) {
    const floor = Math.floor(partitions / owned.size);
    let largest = -Infinity;
    let smallest = Infinity;
    for (const [memberId, count] of owned) {
      const size = sizes.get(memberId) ?? 0;
      if (count > floor) largest = Math.max(largest, size);
      else smallest = Math.min(smallest, size);
    }
    if (largest - smallest >= 2)
      faults.push(`${topic}: an extra at ${largest}, a subscriber without at ${smallest}`);
  }
  return faults;
}

interface TopicOwned {
  readonly topic: string;
  readonly partitions: number;
  /** Every subscriber with how many of the topic's partitions it owns. */
  readonly owned: ReadonlyMap<string, number>;
}

/** Topics with subscribers. */
function topicsOwned(input: AssignmentInput, assignment: Assignment): TopicOwned[] {
  const byTopic = new Map([...input.topics.keys()].map((topic) => [topic, new Map<string, number>()]));
  for (const { memberId, topics } of input.members)
    for (const topic of topics) byTopic.get(topic)?.set(memberId, 0);
  for (const [topic, owners] of assignment.owners) {
    const owned = byTopic.get(topic);
    for (const owner of owners) {
      const memberId = assignment.memberIds[owner];
      const count = memberId === undefined ? undefined : owned?.get(memberId);
      if (memberId !== undefined && count !== undefined) owned?.set(memberId, count + 1);
    }
  }
  return [...byTopic]
    .filter(([, owned]) => owned.size > 0)
    .map(([topic, owned]) => ({ topic, partitions: input.topics.get(topic) ?? 0, owned }));
}
