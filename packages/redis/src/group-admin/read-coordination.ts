/**
 * A group's members and leader, for people. Plain reads instead of `read-group.lua`: a user who may only look has no
 * right to run scripts, and nothing is decided by what is read here, so it need not be of one moment.
 */
import type { MemberDescription } from '@millrace/core';
import type { CommandConnection } from '../connection/command-connection.ts';
import { decodeStoredMember } from '../group/member-description.ts';
import type { Keys } from '../keys.ts';

export interface GroupCoordination {
  /** False where nobody ever joined, or the group was deleted. */
  readonly exists: boolean;
  readonly generation: number;
  readonly assignmentGeneration: number;
  /** Member id, empty while nobody leads. */
  readonly leader: string;
  /** By member id. */
  readonly members: readonly MemberDescription[];
}

export async function readCoordination(
  connection: Pick<CommandConnection, 'sismember' | 'hmget' | 'hgetall'>,
  keys: Keys,
  group: string,
): Promise<GroupCoordination> {
  const places = keys.group(group);
  const [isListed, [generation, assignmentGeneration, leader], stored] = await Promise.all([
    connection.sismember(keys.groups, group),
    connection.hmget(places.state, 'generation', 'assignmentGeneration', 'leader'),
    connection.hgetall(places.members),
  ]);
  const members = Object.values(stored).map(decodeStoredMember);
  return {
    exists: isListed === 1 || members.length > 0,
    generation: Number(generation ?? 0),
    assignmentGeneration: Number(assignmentGeneration ?? 0),
    leader: leader ?? '',
    members: members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1)),
  };
}
