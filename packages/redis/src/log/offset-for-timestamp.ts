/**
 * Finds an offset by append time: a binary search over offsets, each probe being the entry that holds one. Append
 * times never go back (append.lua sees to it), so the search is exact whatever the server's clock did.
 *
 * A script that searches on the server was rejected: it would block everybody for some twenty copies of up to a
 * megabyte, and its KEYS would ask for write permission on the log.
 */
import { partitionKey, type StoredBatch } from '@millrace/core';
import type { CommandConnection } from '../connection/command-connection.ts';
import type { Keys } from '../keys.ts';
import { baseOffsetOf, entryIdBefore, parseEntry, type RawEntry } from './log-entry.ts';

interface SearchedPartition {
  readonly topic: string;
  readonly partition: number;
}

interface OffsetRange {
  readonly start: number;
  readonly end: number;
}

export async function offsetForTimestamp(
  connection: CommandConnection,
  keys: Keys,
  { topic, partition }: SearchedPartition,
  range: OffsetRange,
  timestampMs: number,
): Promise<number | null> {
  const { log } = keys.partition(topic, partition);
  let found: number | null = null;
  // Below `low` everything is older than the timestamp, from `high` on everything is not.
  let low = range.start;
  let high = range.end;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const batch = await batchHolding(connection, log, partitionKey(topic, partition), middle);
    if (batch === null) {
      // Trimmed or removed since the range was read.
      high = middle;
    } else if (batch.appendedMs >= timestampMs) {
      found = Math.max(baseOffsetOf(batch), range.start);
      high = Math.min(found, middle);
    } else {
      low = batch.nextOffset;
    }
  }
  return found;
}

async function batchHolding(
  connection: CommandConnection,
  log: string,
  partition: ReturnType<typeof partitionKey>,
  offset: number,
): Promise<StoredBatch | null> {
  const entries = (await connection.xrangeBuffer(
    log,
    `(${entryIdBefore(offset)}`,
    '+',
    'COUNT',
    1,
  )) as RawEntry[];
  const entry = entries[0];
  return entry === undefined ? null : parseEntry(partition, entry);
}
