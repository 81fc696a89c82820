/** What becomes of a partition whose log does not go on where it was read up to. */
import type { DataError, PartitionStore } from '@millrace/core';

export interface ReadPlace {
  readonly topic: string;
  readonly partition: number;
  readonly fetchPosition: number;
}

/**
 * `acquire-anew`: trimmed, deleted or rewritten; what an acquire finds there, and the policies, say where to go on.
 * `halt`: somebody has to look. A hole in the middle of the log is one: an acquire would come back to it for ever.
 */
export async function whatIsWrong(
  partitions: Pick<PartitionStore, 'fingerprints'>,
  { topic, partition, fetchPosition }: ReadPlace,
  error: DataError,
): Promise<'acquire-anew' | 'halt'> {
  if (error.code === 'LOG_TRUNCATED') return 'acquire-anew';
  if (error.code !== 'OFFSET_OUT_OF_RANGE') return 'halt';
  const log = await partitions.fingerprints(topic, partition, []);
  return log === null || log.logStart > fetchPosition ? 'acquire-anew' : 'halt';
}
