/** What is told when a partition cannot begin where its group stopped. */
import {
  ConfigError,
  DataError,
  parsePartitionKey,
  type AcquireResult,
  type PartitionKey,
} from '@millrace/core';
import type { RecordsTrimmedEvent } from './consumer-events.ts';

export function noOffset(
  key: PartitionKey,
  group: string,
  { committed, logStart, logEnd }: Extract<AcquireResult, { status: 'NO_OFFSET' }>,
): ConfigError {
  const what =
    committed === null
      ? 'has no committed offset'
      : `has committed ${committed}, which the log does not hold,`;
  return new ConfigError(
    'NO_COMMITTED_OFFSET',
    `group ${group} ${what} for ${key} (log ${logStart} to ${logEnd}) and offsetReset is "fail": ` +
      'choose "earliest" or "latest"; the partition waits',
    { details: { group, ...parsePartitionKey(key), logStart, logEnd } },
  );
}

/** Null when the partition goes on where it was, or the log went back: that is told where lost records are. */
export function offsetMoved(
  key: PartitionKey,
  group: string,
  { reset, committed, logStart, logEnd }: Extract<AcquireResult, { status: 'ACQUIRED' }>,
): DataError | null {
  if (reset === null || reset.from === null || reset.from > committed) return null;
  return new DataError(
    'OFFSET_OUT_OF_RANGE',
    `group ${group} had committed ${reset.from} for ${key}, but the log holds ${logStart} to ${logEnd}; it goes on at ${committed}`,
    { details: { group, ...parsePartitionKey(key), from: reset.from, to: committed, logStart, logEnd } },
  );
}

/** Null when the log still begins at or before what the group had committed. */
export function recordsTrimmed(
  key: PartitionKey,
  group: string,
  result: Extract<AcquireResult, { status: 'ACQUIRED' | 'NO_OFFSET' }>,
): RecordsTrimmedEvent | null {
  const from = result.status === 'ACQUIRED' ? (result.reset?.from ?? null) : result.committed;
  const next = result.status === 'ACQUIRED' ? result.committed : null;
  // A reset that is told again: the log may begin later by now than where it went on.
  const to = Math.min(result.logStart, next ?? result.logStart);
  if (from === null || from >= to) return null;
  return { group, ...parsePartitionKey(key), from, to, lost: to - from, next };
}
