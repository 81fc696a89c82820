import type { CommandConnection } from '../connection/command-connection.ts';
import type { Keys } from '../keys.ts';

export interface GroupEntry {
  readonly group: string;
  /** Members at present, idle ones included. */
  readonly members: number;
}

/** Groups that have been joined and not deleted, by name. */
export async function listGroups(
  connection: Pick<CommandConnection, 'smembers' | 'hlen'>,
  keys: Keys,
): Promise<GroupEntry[]> {
  const groups = (await connection.smembers(keys.groups)).sort();
  return Promise.all(
    groups.map(async (group) => ({ group, members: await connection.hlen(keys.group(group).members) })),
  );
}
