/**
 * Removes a group. It spans the group's slot and those of all partitions, so no single step can do it; the order makes
 * each interruption harmless: the group's slot refuses while there are members, partitions refuse once somebody has
 * acquired them again, and the catalogue goes last, so that a deletion that broke off can be repeated.
 */
import type { CommandConnection } from '../connection/command-connection.ts';
import { DELETE_GROUP, FORGET_GROUP } from '../generated/lua.ts';
import type { Keys } from '../keys.ts';
import { integerAt, unexpectedStatus } from '../reply.ts';
import { runScript } from '../run-script.ts';
import type { GroupOffset } from './group-offsets.ts';

export type DeleteGroupResult =
  | { readonly status: 'DELETED' }
  | { readonly status: 'NOT_EMPTY'; readonly members: number };

const PARTITIONS_AT_ONCE = 500;

/** `offsets` must have been read before, see `readGroupOffsets`. */
export async function deleteGroup(
  connection: CommandConnection,
  keys: Keys,
  group: string,
  offsets: readonly GroupOffset[],
): Promise<DeleteGroupResult> {
  const result = await deleteCoordination(connection, keys, group);
  if (result.status === 'NOT_EMPTY') return result;
  const known = offsets.filter(({ committed }) => committed !== null);
  for (let first = 0; first < known.length; first += PARTITIONS_AT_ONCE) {
    const block = known.slice(first, first + PARTITIONS_AT_ONCE);
    await Promise.all(block.map((offset) => forgetGroup(connection, keys, group, offset)));
  }
  await connection.srem(keys.groups, group);
  // Somebody may have joined under the name since.
  if ((await connection.hlen(keys.group(group).members)) > 0) await connection.sadd(keys.groups, group);
  return result;
}

async function deleteCoordination(
  connection: CommandConnection,
  keys: Keys,
  group: string,
): Promise<DeleteGroupResult> {
  const { state, members, beats, owners, assignment, leaderLock, events } = keys.group(group);
  const all = [state, members, beats, owners, assignment, leaderLock, events];
  const reply = await runScript(connection, DELETE_GROUP, all, []);
  switch (reply[0]) {
    case 'DELETED':
      return { status: 'DELETED' };
    case 'NOT_EMPTY':
      return { status: 'NOT_EMPTY', members: integerAt(reply, 1) };
    default:
      return unexpectedStatus(DELETE_GROUP, reply);
  }
}

/** False when somebody has acquired the partition for this group since `epoch` was read. */
export async function forgetGroup(
  connection: CommandConnection,
  keys: Keys,
  group: string,
  { topic, partition, epoch }: Pick<GroupOffset, 'topic' | 'partition' | 'epoch'>,
): Promise<boolean> {
  const places = keys.partition(topic, partition);
  const reply = await runScript(
    connection,
    FORGET_GROUP,
    [places.group(group), places.groups],
    [group, epoch],
  );
  switch (reply[0]) {
    case 'FORGOTTEN':
      return true;
    case 'ACQUIRED':
      return false;
    default:
      return unexpectedStatus(FORGET_GROUP, reply);
  }
}
