/** Trims one partition through `trim-partition.lua`: as much as one call may, for whoever calls again. */
import { DEFAULT_TRIM_COMMITTED_AFTER_MS, type TrimRequest, type TrimResult } from '@millrace/core';
import { TRIM_PARTITION } from '../generated/lua.ts';
import type { Keys } from '../keys.ts';
import { integerAt, listAt, textAt, unexpectedStatus } from '../reply.ts';
import { runScript, type ScriptConnection } from '../run-script.ts';
import { encodeLimits } from '../topics/partition-limits.ts';

export async function trimPartition(
  connection: ScriptConnection,
  keys: Keys,
  { topic, partition, incarnation, groups, limits }: TrimRequest,
): Promise<TrimResult> {
  const at = keys.partition(topic, partition);
  const reply = await runScript(
    connection,
    TRIM_PARTITION,
    [at.log, at.state, at.groups, ...groups.map((group) => at.group(group))],
    [incarnation, limits === null ? '' : encodeLimits(limits), DEFAULT_TRIM_COMMITTED_AFTER_MS, ...groups],
  );
  switch (reply[0]) {
    case 'TRIMMED':
      return {
        status: 'TRIMMED',
        logStart: integerAt(reply, 1),
        logEnd: integerAt(reply, 2),
        bytes: integerAt(reply, 3),
        batches: integerAt(reply, 4),
        waitMs: reply[5] === '' ? null : integerAt(reply, 5),
        isPressed: reply[6] === 'pressed',
      };
    case 'GROUPS_CHANGED':
      return { status: 'GROUPS_CHANGED', groups: listAt(reply, 1).map(String) };
    case 'OTHER_INCARNATION':
      return { status: 'OTHER_INCARNATION', incarnation: textAt(reply, 1) };
    case 'UNKNOWN_PARTITION':
      return { status: 'UNKNOWN_PARTITION' };
    default:
      return unexpectedStatus(TRIM_PARTITION, reply);
  }
}
