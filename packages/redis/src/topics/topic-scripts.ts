/** The scripts behind topics, with types: catalogue entries change by compare-and-set, partitions by incarnation. */
import type { VersionedLimits } from '@millrace/core';
import { CREATE_PARTITION, DELETE_PARTITION, LIMIT_PARTITION, REPLACE_TOPIC } from '../generated/lua.ts';
import type { Keys } from '../keys.ts';
import { integerAt, textAt, unexpectedStatus } from '../reply.ts';
import { runScript, type ScriptConnection } from '../run-script.ts';
import { encodeLimits } from './partition-limits.ts';

export type ReplaceTopicResult =
  | { readonly status: 'REPLACED' }
  /** `present` is empty where there is no entry. */
  | { readonly status: 'CHANGED'; readonly present: string };

/** `expected` and `replacement` are entries as JSON, empty for none. */
export async function replaceTopic(
  connection: ScriptConnection,
  keys: Keys,
  topic: string,
  { expected, replacement }: { readonly expected: string; readonly replacement: string },
): Promise<ReplaceTopicResult> {
  const reply = await runScript(connection, REPLACE_TOPIC, [keys.topics], [topic, expected, replacement]);
  switch (reply[0]) {
    case 'REPLACED':
      return { status: 'REPLACED' };
    case 'CHANGED':
      return { status: 'CHANGED', present: textAt(reply, 1) };
    default:
      return unexpectedStatus(REPLACE_TOPIC, reply);
  }
}

export type CreatePartitionResult =
  | { readonly status: 'CREATED' }
  | { readonly status: 'EXISTS'; readonly logEnd: number }
  | { readonly status: 'OTHER_INCARNATION'; readonly incarnation: string; readonly logEnd: number }
  | { readonly status: 'FOREIGN_LOG' };

export async function createPartition(
  connection: ScriptConnection,
  keys: Keys,
  topic: string,
  { partition, incarnation }: { readonly partition: number; readonly incarnation: string },
): Promise<CreatePartitionResult> {
  const { state, log } = keys.partition(topic, partition);
  const reply = await runScript(connection, CREATE_PARTITION, [state, log], [incarnation]);
  switch (reply[0]) {
    case 'CREATED':
      return { status: 'CREATED' };
    case 'EXISTS':
      return { status: 'EXISTS', logEnd: integerAt(reply, 1) };
    case 'OTHER_INCARNATION':
      return { status: 'OTHER_INCARNATION', incarnation: textAt(reply, 1), logEnd: integerAt(reply, 2) };
    case 'FOREIGN_LOG':
      return { status: 'FOREIGN_LOG' };
    default:
      return unexpectedStatus(CREATE_PARTITION, reply);
  }
}

/** Of the answers, only that the partition is another one, or none, is no success: `LATER_LIMITS` came after these. */
export type LimitPartitionStatus = 'LIMITED' | 'LATER_LIMITS' | 'OTHER_INCARNATION' | 'UNKNOWN_PARTITION';

export async function limitPartition(
  connection: ScriptConnection,
  keys: Keys,
  topic: string,
  request: { readonly partition: number; readonly incarnation: string; readonly limits: VersionedLimits },
): Promise<LimitPartitionStatus> {
  const { state } = keys.partition(topic, request.partition);
  const reply = await runScript(
    connection,
    LIMIT_PARTITION,
    [state],
    [request.incarnation, encodeLimits(request.limits)],
  );
  switch (reply[0]) {
    case 'LIMITED':
    case 'LATER_LIMITS':
    case 'OTHER_INCARNATION':
    case 'UNKNOWN_PARTITION':
      return reply[0];
    default:
      return unexpectedStatus(LIMIT_PARTITION, reply);
  }
}

export type DeletePartitionResult =
  | { readonly status: 'DELETED' }
  | { readonly status: 'OTHER_INCARNATION'; readonly incarnation: string }
  | { readonly status: 'GROUPS_CHANGED' };

/** `groups` are the members of the partition's set of groups, as they were read. */
export async function deletePartition(
  connection: ScriptConnection,
  keys: Keys,
  topic: string,
  request: { readonly partition: number; readonly incarnation: string; readonly groups: readonly string[] },
): Promise<DeletePartitionResult> {
  const partition = keys.partition(topic, request.partition);
  const { state, log, producers, producerTimes, groups } = partition;
  const reply = await runScript(
    connection,
    DELETE_PARTITION,
    [state, log, producers, producerTimes, groups, ...request.groups.map((name) => partition.group(name))],
    [request.incarnation, ...request.groups],
  );
  switch (reply[0]) {
    case 'DELETED':
      return { status: 'DELETED' };
    case 'OTHER_INCARNATION':
      return { status: 'OTHER_INCARNATION', incarnation: textAt(reply, 1) };
    case 'GROUPS_CHANGED':
      return { status: 'GROUPS_CHANGED' };
    default:
      return unexpectedStatus(DELETE_PARTITION, reply);
  }
}
