/** All rows, in the order in which they are measured and shown. */
import { assignment } from './assignment.ts';
import { bytes } from './bytes.ts';
import { commands } from './commands.ts';
import { eachBatch } from './each-batch.ts';
import { eachRecord } from './each-record.ts';
import { groups } from './groups.ts';
import { latency } from './latency.ts';
import { longLog } from './long-log.ts';
import { partitions } from './partitions.ts';
import { processes } from './processes.ts';
import type { RowDefinition } from './row-definition.ts';
import { send } from './send.ts';
import { sendBatch } from './send-batch.ts';

const DEFINITIONS: readonly RowDefinition[] = [
  sendBatch,
  send,
  eachBatch,
  eachRecord,
  latency,
  bytes,
  commands,
  processes,
  partitions,
  groups,
];
/** Both on one log. */
const OF_THE_LONG_LOG = ['log-length', 'memory'] as const;

export const ROW_IDS: readonly string[] = [
  ...DEFINITIONS.map(({ id }) => id),
  ...OF_THE_LONG_LOG,
  assignment.id,
];

export function rowDefinitions(ids: readonly string[]): readonly RowDefinition[] {
  const wanted = new Set(ids);
  const ofTheLongLog = OF_THE_LONG_LOG.filter((id) => wanted.has(id));
  return [
    ...DEFINITIONS.filter(({ id }) => wanted.has(id)),
    ...(ofTheLongLog.length === 0 ? [] : [longLog(ofTheLongLog)]),
    ...(wanted.has(assignment.id) ? [assignment] : []),
  ];
}
