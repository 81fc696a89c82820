/** The rebalance history: a capped stream, newest last. */
import type { GroupEvent } from '@millrace/core';
import type { Redis } from 'ioredis';
import { gatherWrites, type Written } from '../connection/gather-writes.ts';
import type { GroupKeys } from '../keys.ts';

/** Older events are dropped. Enough for days of a busy fleet, small enough to read whole. */
export const EVENTS_TO_KEEP = 1000;

export async function appendGroupEvent(
  connection: Pick<Redis, 'xadd'> & Written,
  keys: GroupKeys,
  type: string,
  fields: Readonly<Record<string, string>>,
): Promise<void> {
  // A seek of each of many partitions is an event of each.
  gatherWrites(connection);
  await connection.xadd(
    keys.events,
    'MAXLEN',
    '~',
    EVENTS_TO_KEEP,
    '*',
    'type',
    type,
    ...Object.entries(fields).flat(),
  );
}

/** Events after the id `after` (exclusive; '' for the oldest kept), oldest first. */
export async function readGroupEvents(
  connection: Pick<Redis, 'xrange'>,
  keys: GroupKeys,
  after: string,
  count: number,
): Promise<GroupEvent[]> {
  const entries = await connection.xrange(keys.events, after === '' ? '-' : `(${after}`, '+', 'COUNT', count);
  return entries.map(([id, flat]) => {
    const fields: Record<string, string> = {};
    let type = '';
    for (let index = 0; index + 1 < flat.length; index += 2) {
      const [name = '', value = ''] = flat.slice(index, index + 2);
      if (name === 'type') type = value;
      else fields[name] = value;
    }
    return { id, atMs: Number(id.slice(0, id.indexOf('-'))), type, fields };
  });
}
