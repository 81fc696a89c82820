/**
 * The check between an assignor and the group: what is published must be complete and must respect subscriptions, no
 * matter who computed it. It does not ask for evenness, which a user's own assignor may have reasons to give up.
 */
import { indexInput, type IndexedInput } from './indexed-input.ts';
import type { Assignment, AssignmentInput } from './types.ts';

/**
 * One thing that is wrong. `partition` is the first one that is affected and `count` how many of that topic are, so a
 * broken assignor reports a line per topic and member and not a million.
 */
export type AssignmentProblem =
  | {
      readonly kind: 'member-missing' | 'member-unknown' | 'member-out-of-order';
      readonly memberId: string;
      readonly message: string;
    }
  | {
      readonly kind: 'topic-missing' | 'topic-unknown' | 'topic-out-of-order';
      readonly topic: string;
      readonly message: string;
    }
  | {
      readonly kind: 'partition-count';
      readonly topic: string;
      readonly expected: number;
      readonly actual: number;
      readonly message: string;
    }
  | {
      readonly kind: 'owner-unknown' | 'unassigned';
      readonly topic: string;
      readonly partition: number;
      readonly count: number;
      readonly message: string;
    }
  | {
      readonly kind: 'not-subscribed';
      readonly topic: string;
      readonly memberId: string;
      readonly partition: number;
      readonly count: number;
      readonly message: string;
    };

/**
 * Everything that makes `assignment` unfit for the group of `input`, in the order members, topics, partitions; empty
 * when it may be published. Each `message` is a sentence for people. Throws `INVALID_ASSIGNMENT` only when the input
 * itself contradicts itself.
 */
export function verifyAssignment(input: AssignmentInput, assignment: Assignment): AssignmentProblem[] {
  const indexed = indexInput(input);
  const { memberIds, topics } = indexed;
  const required = topics.filter(
    (_, t) => indexed.subscribers[t]!.length > 0 && indexed.partitionCounts[t]! > 0,
  );
  const memberFaults = findNameFaults(memberIds, memberIds, assignment.memberIds);
  const topicFaults = findNameFaults(required, topics, [...assignment.owners.keys()]);
  return [
    ...memberFaults.map(({ fault, name }): AssignmentProblem => {
      return { kind: `member-${fault}`, memberId: name, message: `member "${name}" ${MEMBER_FAULTS[fault]}` };
    }),
    ...topicFaults.map(({ fault, name }): AssignmentProblem => {
      return { kind: `topic-${fault}`, topic: name, message: `topic "${name}" ${TOPIC_FAULTS[fault]}` };
    }),
    ...partitionProblems(indexed, assignment),
  ];
}

type NameFault = 'missing' | 'unknown' | 'out-of-order';

const MEMBER_FAULTS: Readonly<Record<NameFault, string>> = {
  missing: 'is in the group but not in memberIds: list every member, idle ones too',
  unknown: 'is in memberIds but not in the group: list members of the input only',
  'out-of-order': 'is out of order or repeated: memberIds must be sorted and unique',
};

const TOPIC_FAULTS: Readonly<Record<NameFault, string>> = {
  missing: 'has subscribers but no entry in owners: give all its partitions an owner',
  unknown: 'has an entry in owners but is not in the input',
  'out-of-order': 'is out of order: the topics of owners must be sorted',
};

interface NameProblem {
  readonly fault: NameFault;
  readonly name: string;
}

function findNameFaults(
  required: readonly string[],
  allowed: readonly string[],
  actual: readonly string[],
): NameProblem[] {
  const actualNames = new Set(actual);
  const allowedNames = new Set(allowed);
  const missing = required.filter((name) => !actualNames.has(name));
  const unknown = actual.filter((name) => !allowedNames.has(name));
  const misplaced = actual.filter((name, i) => i > 0 && actual[i - 1]! >= name);
  return [
    ...missing.map((name): NameProblem => ({ fault: 'missing', name })),
    ...unknown.map((name): NameProblem => ({ fault: 'unknown', name })),
    ...misplaced.map((name): NameProblem => ({ fault: 'out-of-order', name })),
  ];
}

function partitionProblems(input: IndexedInput, assignment: Assignment): AssignmentProblem[] {
  const problems: AssignmentProblem[] = [];
  const numberOf = new Map(input.memberIds.map((memberId, m) => [memberId, m]));
  const inputNumbers = assignment.memberIds.map((memberId) => numberOf.get(memberId));
  const isSubscriber = new Uint8Array(input.members.length);
  for (const [t, topic] of input.topics.entries()) {
    const owners = assignment.owners.get(topic);
    if (owners === undefined) continue;
    const expected = input.partitionCounts[t]!;
    if (owners.length !== expected) {
      const message = `topic "${topic}" has ${expected} partitions, its owners have ${owners.length} entries`;
      problems.push({ kind: 'partition-count', topic, expected, actual: owners.length, message });
      continue;
    }
    isSubscriber.fill(0);
    for (const m of input.subscribers[t]!) isSubscriber[m] = 1;
    const sightings = new Sightings(topic);
    for (let p = 0; p < owners.length; p++) {
      const owner: number = owners[p]!;
      if (owner === -1) {
        if (input.subscribers[t]!.length > 0) sightings.add('unassigned', p);
        continue;
      }
      const memberId = assignment.memberIds[owner];
      const number = inputNumbers[owner];
      if (memberId === undefined) sightings.add('owner-unknown', p);
      else if (number === undefined || isSubscriber[number] === 0)
        sightings.add('not-subscribed', p, memberId);
    }
    problems.push(...sightings.problems());
  }
  return problems;
}

type PartitionFault = 'owner-unknown' | 'unassigned' | 'not-subscribed';

interface Sighting {
  readonly kind: PartitionFault;
  readonly memberId: string;
  /** The first one. */
  readonly partition: number;
  count: number;
}

/** Faults of one topic's partitions, one entry for each kind and member. */
class Sightings {
  readonly #topic: string;
  readonly #sightings = new Map<string, Sighting>();

  constructor(topic: string) {
    this.#topic = topic;
  }

  add(kind: PartitionFault, partition: number, memberId = ''): void {
    const key = `${kind} ${memberId}`;
    const sighting = this.#sightings.get(key);
    if (sighting === undefined) this.#sightings.set(key, { kind, memberId, partition, count: 1 });
    else sighting.count++;
  }

  problems(): AssignmentProblem[] {
    const topic = this.#topic;
    return [...this.#sightings.values()].map(({ kind, memberId, partition, count }): AssignmentProblem => {
      const where =
        count === 1 ? `partition ${topic}/${partition}` : `${count} partitions from ${topic}/${partition} on`;
      switch (kind) {
        case 'unassigned':
          return {
            kind,
            topic,
            partition,
            count,
            message: `${where}: no owner although the topic has subscribers`,
          };
        case 'owner-unknown':
          return {
            kind,
            topic,
            partition,
            count,
            message: `${where}: the owner is no index into memberIds (and not -1)`,
          };
        case 'not-subscribed': {
          const message = `${where}: the owner "${memberId}" does not subscribe to the topic`;
          return { kind, topic, memberId, partition, count, message };
        }
        default:
          return kind satisfies never;
      }
    });
  }
}
