/** Intent in the group's slot: who is about to own, or has given up, which partition. */
import type { ClaimRequest, ClaimResult, PartitionKey } from '@millrace/core';
import { CLAIM_PARTITIONS, UNCLAIM_PARTITIONS } from '../generated/lua.ts';
import type { GroupKeys } from '../keys.ts';
import { integerAt, listAt, textAt, unexpectedStatus } from '../reply.ts';
import { runScript, type ScriptConnection } from '../run-script.ts';
import { encodeClaim } from './observe.ts';

export async function claimPartitions(
  connection: ScriptConnection,
  keys: GroupKeys,
  request: ClaimRequest,
): Promise<ClaimResult> {
  const reply = await runScript(
    connection,
    CLAIM_PARTITIONS,
    [keys.state, keys.members, keys.owners],
    [request.memberId, request.session, request.assignmentGeneration, request.lowest, ...request.partitions],
  );
  switch (reply[0]) {
    case 'CLAIMED': {
      const holders = listAt(reply, 2);
      const granted: PartitionKey[] = [];
      const held = new Map<PartitionKey, string>();
      request.partitions.forEach((partition, index) => {
        const holder = textAt(holders, index);
        if (holder === '') granted.push(partition);
        else held.set(partition, holder);
      });
      return { status: 'CLAIMED', claim: integerAt(reply, 1), granted, held };
    }
    case 'STALE_ASSIGNMENT':
    case 'UNKNOWN_MEMBER':
      return { status: reply[0] };
    default:
      return unexpectedStatus(CLAIM_PARTITIONS, reply);
  }
}

export async function unclaimPartitions(
  connection: ScriptConnection,
  keys: GroupKeys,
  memberId: string,
  claims: ReadonlyMap<PartitionKey, number>,
): Promise<number> {
  const entries: string[] = [];
  for (const [partition, claim] of claims) entries.push(partition, encodeClaim({ memberId, claim }));
  const reply = await runScript(connection, UNCLAIM_PARTITIONS, [keys.owners, keys.wake], entries);
  return integerAt(reply, 1);
}
