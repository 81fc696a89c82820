/** The field `limits` of a partition's state: one text, so that it changes as one, and an append without any pays nothing. */
import type { VersionedLimits } from '@millrace/core';

/** See `limit-partition.lua`. */
export function encodeLimits({ version, limits }: VersionedLimits): string {
  const { maxRecords, maxBytes, onFull = 'refuse', maxAgeMs, trimCommittedAfterMs } = limits;
  const fields = [version, maxRecords, maxBytes, onFull, maxAgeMs, trimCommittedAfterMs];
  return fields.map((field) => field ?? '-').join(' ');
}
