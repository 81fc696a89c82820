/**
 * The input of an assignor with every name turned into a number: members and topics are numbered in sorted order, so
 * whatever is computed from the numbers depends on content and not on the order in which things were listed.
 *
 * Reading names is the dearest part of a small assignment (1,000 members with 100 topics each are 100,000 strings), so
 * members with the same subscription are recognised by comparing lists, which hashes nothing.
 */
import { ConfigError } from '../errors.ts';
import type { Assignment, AssignmentInput, AssignmentMember } from './types.ts';

export interface IndexedInput {
  /** Sorted. A member's position is its number. */
  readonly members: readonly AssignmentMember[];
  readonly memberIds: readonly string[];
  /** Sorted. A topic's position is its number. */
  readonly topics: readonly string[];
  /** Per topic number. */
  readonly partitionCounts: readonly number[];
  /** Per topic number: the numbers of its subscribers, ascending. Topics may share one array: never write to it. */
  readonly subscribers: readonly Int32Array[];
  readonly current: CurrentOwners;
}

/** The current assignment in the numbers of the new one. */
export interface CurrentOwners {
  /** Number of a current owner to the member's number now, -1 when the member is gone. */
  readonly memberOf: Int32Array;
  /** Per topic number, in the old numbering; `undefined` for a topic that was not assigned before. */
  readonly owners: readonly (Int32Array | undefined)[];
  /** The same members, topics and partition counts, all sorted: `current` could be the answer as it is. */
  readonly isSameShape: boolean;
}

/** How many different subscriptions are compared with before a list is read afresh. A rolling deploy has two. */
const REMEMBERED_SUBSCRIPTIONS = 8;

/** Throws `INVALID_ASSIGNMENT` when a member is listed twice or a partition count is not one. */
export function indexInput(input: AssignmentInput): IndexedInput {
  const members = sortedMembers(input.members);
  const memberIds = members.map((member) => member.memberId);
  const topics = sortedNames([...input.topics.keys()]);
  const partitionCounts = topics.map((topic) => parsePartitionCount(topic, input.topics.get(topic)));
  const named = {
    members,
    memberIds,
    topics,
    partitionCounts,
    subscribers: subscribersByTopic(members, topics),
  };
  return { ...named, current: indexCurrent(input.current, named) };
}

function sortedMembers(members: readonly AssignmentMember[]): readonly AssignmentMember[] {
  const isSorted = members.every((member, i) => i === 0 || members[i - 1]!.memberId <= member.memberId);
  const sorted = isSorted
    ? members
    : members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : a.memberId > b.memberId ? 1 : 0));
  for (let i = 1; i < sorted.length; i++) {
    const { memberId } = sorted[i]!;
    if (memberId === sorted[i - 1]!.memberId) {
      throw new ConfigError(
        'INVALID_ASSIGNMENT',
        `member "${memberId}" is listed twice: list every member once`,
      );
    }
  }
  return sorted;
}

function sortedNames(names: string[]): string[] {
  const isSorted = names.every((name, i) => i === 0 || names[i - 1]! < name);
  // Without a comparator the order is by UTF-16 code unit, the same on every machine; localeCompare would not be.
  return isSorted ? names : names.sort();
}

function parsePartitionCount(topic: string, count: number | undefined): number {
  if (count === undefined || !Number.isInteger(count) || count < 0) {
    throw new ConfigError(
      'INVALID_ASSIGNMENT',
      `topic "${topic}" has ${count} partitions: a whole number, 0 or more`,
    );
  }
  return count;
}

function subscribersByTopic(members: readonly AssignmentMember[], topics: readonly string[]): Int32Array[] {
  const topicNumbers = new Map(topics.map((topic, t) => [topic, t]));
  const known: { readonly names: readonly string[]; readonly numbers: Int32Array }[] = [];
  const subscriptions = members.map(({ topics: names }) => {
    const same = known.find((subscription) => isSameList(subscription.names, names));
    if (same !== undefined) return same.numbers;
    const numbers = numbersOf(names, topicNumbers);
    if (known.length === REMEMBERED_SUBSCRIPTIONS) known.shift();
    known.push({ names, numbers });
    return numbers;
  });

  const first = subscriptions[0];
  if (first !== undefined && subscriptions.every((numbers) => numbers === first)) {
    // The usual case, everybody subscribes to the same topics: one list serves them all.
    const everyone = Int32Array.from(members, (_, m) => m);
    const nobody = new Int32Array(0);
    const isSubscribed = new Uint8Array(topics.length);
    for (const t of first) isSubscribed[t] = 1;
    return topics.map((_, t) => (isSubscribed[t] === 1 ? everyone : nobody));
  }
  return invert(subscriptions, topics.length);
}

/** From the topics of each member to the members of each topic, ascending. */
function invert(subscriptions: readonly Int32Array[], topicCount: number): Int32Array[] {
  const ends = new Int32Array(topicCount);
  for (const numbers of subscriptions) for (let i = 0; i < numbers.length; i++) ends[numbers[i]!]!++;
  for (let t = 1; t < topicCount; t++) ends[t]! += ends[t - 1]!;
  const pool = new Int32Array(ends.at(-1) ?? 0);
  const next = new Int32Array(topicCount);
  if (topicCount > 0) next.set(ends.subarray(0, topicCount - 1), 1);
  const starts = next.slice();
  for (const [m, numbers] of subscriptions.entries()) {
    for (let i = 0; i < numbers.length; i++) pool[next[numbers[i]!]!++] = m;
  }
  return Array.from(starts, (start, t) => pool.subarray(start, ends[t]));
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Topic numbers of a subscription, each once; names of topics that do not exist are left out. */
function numbersOf(names: readonly string[], topicNumbers: ReadonlyMap<string, number>): Int32Array {
  const numbers = new Int32Array(names.length);
  let length = 0;
  for (const name of names) {
    const t = topicNumbers.get(name);
    if (t !== undefined) numbers[length++] = t;
  }
  const sorted = numbers.subarray(0, length).sort();
  let unique = 0;
  for (let i = 0; i < length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[unique++] = sorted[i]!;
  }
  return sorted.subarray(0, unique);
}

function indexCurrent(current: Assignment, input: Omit<IndexedInput, 'current'>): CurrentOwners {
  const { memberIds, topics } = input;
  const owners = topics.map((topic) => current.owners.get(topic));
  const isSameMembers = isSameList(current.memberIds, memberIds);
  const memberOf = new Int32Array(current.memberIds.length);
  if (isSameMembers) {
    for (let m = 0; m < memberOf.length; m++) memberOf[m] = m;
  } else {
    const memberNumbers = new Map(memberIds.map((memberId, m) => [memberId, m]));
    for (const [o, memberId] of current.memberIds.entries()) memberOf[o] = memberNumbers.get(memberId) ?? -1;
  }
  // A topic that nobody can own may be left out: an assignment that was stored by member does not know it.
  const expected = topics.filter((_, t) => owners[t] !== undefined || hasSubscribedPartitions(input, t));
  const isSameShape =
    isSameMembers &&
    isSameList([...current.owners.keys()], expected) &&
    owners.every((list, t) => list === undefined || list.length === input.partitionCounts[t]);
  return { memberOf, owners, isSameShape };
}

function hasSubscribedPartitions(input: Omit<IndexedInput, 'current'>, topic: number): boolean {
  return input.partitionCounts[topic]! > 0 && input.subscribers[topic]!.length > 0;
}
