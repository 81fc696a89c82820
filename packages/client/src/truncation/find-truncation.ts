/**
 * Compares what is remembered of a log with what it holds. A log that went back shares a beginning with what it was, and
 * from some batch on it is shorter, or another one: a bisection finds that batch, and the common case, nothing lost,
 * costs one look at the last one.
 */
import type { LogFingerprints } from '@millrace/core';
import type { TrailEntry } from './batch-trail.ts';

export interface Truncation {
  /** First record that is gone, or a lower offset where too little is remembered to tell. */
  readonly from: number;
}

export interface LogComparison {
  /** What answered: from now on the trail is known to be of this server. Null: the partition does not exist. */
  readonly log: LogFingerprints | null;
  readonly truncation: Truncation | null;
}

export type LookAt = (nextOffsets: readonly number[]) => Promise<LogFingerprints | null>;

/** Throws what `lookAt` throws. */
export async function findTruncation(entries: readonly TrailEntry[], lookAt: LookAt): Promise<LogComparison> {
  const last = entries.at(-1);
  const log = await lookAt(last === undefined ? [] : [last.nextOffset]);
  if (log === null || last === undefined || isThere(last, log)) return { log, truncation: null };

  let lowest = 0;
  let differs = entries.length - 1;
  while (lowest < differs) {
    const middle = Math.floor((lowest + differs) / 2);
    const entry = entries[middle] ?? last;
    const seen = await lookAt([entry.nextOffset]);
    // Once more another server, or none: what was seen does not belong together.
    if (seen?.server !== log.server) return findTruncation(entries, lookAt);
    if (isThere(entry, seen)) lowest = middle + 1;
    else differs = middle;
  }
  const first = entries[differs] ?? last;
  return { log, truncation: { from: Math.min(first.baseOffset, log.logEnd) } };
}

/** What was trimmed cannot be compared any more, and was not lost by going back. */
function isThere({ nextOffset, fingerprint }: TrailEntry, log: LogFingerprints): boolean {
  return nextOffset <= log.logStart || log.fingerprints[0] === fingerprint;
}
