/**
 * The bridge from simple maps, which is what one writes by hand or reads from Redis, to the compact `Assignment`.
 */
import { ConfigError } from '../errors.ts';
import type { Assignment, AssignmentInput } from './types.ts';

/** One member and, per topic, its partitions in any order. A member without partitions is an entry with an empty map. */
export type MemberPartitions = readonly [memberId: string, partitions: ReadonlyMap<string, Iterable<number>>];

/**
 * Builds an assignment. Throws `INVALID_ASSIGNMENT` for a member that comes twice, a partition that is no whole number
 * from 0, and a partition that two members have.
 *
 * With `input`, as an assignor should call it, the result has every member and every topic of the input, partitions
 * that no entry names are without an owner, and an unknown member, an unknown topic, a partition beyond the topic's
 * count or an owner that does not subscribe throw as well. Without it, members and topics are those of the entries and a
 * topic ends with the highest partition that is named.
 */
export function assignmentFromMembers(
  entries: Iterable<MemberPartitions>,
  input?: Pick<AssignmentInput, 'members' | 'topics'>,
): Assignment {
  const listed = [...entries];
  const ids =
    input === undefined
      ? listed.map(([memberId]) => memberId)
      : input.members.map((member) => member.memberId);
  const memberIds = ids.toSorted();
  const repeated = memberIds.find((memberId, m) => memberId === memberIds[m + 1]);
  if (repeated !== undefined)
    throw invalid(`member "${repeated}" is listed twice: give it one entry with all its partitions`);

  const numberOf = new Map(memberIds.map((memberId, m) => [memberId, m]));
  const subscriptions =
    input && new Map(input.members.map((member) => [member.memberId, new Set(member.topics)]));
  const counts = input === undefined ? countsOf(listed) : input.topics;
  const owners = new Map(
    [...counts.keys()].toSorted().map((topic) => [topic, new Int32Array(counts.get(topic)!).fill(-1)]),
  );
  const seen = new Set<string>();
  for (const [memberId, partitions] of listed) {
    const m = numberOf.get(memberId);
    if (m === undefined)
      throw invalid(`member "${memberId}" is not in the group: assign to members of the input only`);
    if (seen.has(memberId))
      throw invalid(`member "${memberId}" has two entries: give it one with all its partitions`);
    seen.add(memberId);
    for (const [topic, list] of partitions) {
      const owned = owners.get(topic);
      if (owned === undefined)
        throw invalid(`topic "${topic}" of member "${memberId}" does not exist in the input`);
      if (subscriptions !== undefined && !subscriptions.get(memberId)!.has(topic)) {
        throw invalid(
          `member "${memberId}" does not subscribe to topic "${topic}": assign its partitions to a subscriber`,
        );
      }
      for (const partition of list) {
        const taken = owned[checkPartition(topic, partition, owned.length)]!;
        if (taken >= 0) {
          const rival = memberIds[taken]!;
          throw invalid(
            `partition ${topic}/${partition} is given to "${rival}" and to "${memberId}": one owner only`,
          );
        }
        owned[partition] = m;
      }
    }
  }
  return { memberIds, owners };
}

function countsOf(entries: readonly MemberPartitions[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, partitions] of entries) {
    for (const [topic, list] of partitions) {
      let count = counts.get(topic) ?? 0;
      for (const partition of list) count = Math.max(count, checkPartition(topic, partition, Infinity) + 1);
      counts.set(topic, count);
    }
  }
  return counts;
}

function checkPartition(topic: string, partition: number, end: number): number {
  if (Number.isInteger(partition) && partition >= 0 && partition < end) return partition;
  const range =
    end === Infinity ? 'partitions are whole numbers from 0' : `the topic has partitions 0 to ${end - 1}`;
  throw invalid(`partition ${topic}/${partition} does not exist: ${range}`);
}

function invalid(message: string): ConfigError {
  return new ConfigError('INVALID_ASSIGNMENT', message);
}
