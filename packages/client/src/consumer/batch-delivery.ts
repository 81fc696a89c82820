/** What a handler of `eachBatch` is given. */
import type { ConsumerRecord } from './consumer-record.ts';
import type { EachBatch } from './handlers.ts';
import type { Lane } from './lane.ts';
import { flushCommits } from './offset-control.ts';

/**
 * The records of `all` that are not resolved yet: a second attempt begins behind what the first one resolved. Null when
 * that leaves none. `version` is the lane's at the time when the records were collected.
 */
export function batchDelivery<V>(
  lane: Lane,
  all: readonly ConsumerRecord<V>[],
  version: number,
  pause: () => () => void,
): EachBatch<V> | null {
  // Offsets are dense.
  const resolved = lane.position - (all[0]?.offset ?? 0);
  const records = resolved > 0 ? all.slice(resolved) : all;
  const [first] = records;
  if (first === undefined) return null;
  const next = first.offset + records.length;
  return {
    batch: {
      topic: lane.topic,
      partition: lane.partition,
      records,
      firstOffset: first.offset,
      lastOffset: next - 1,
    },
    epoch: lane.epoch,
    signal: lane.signal,
    resolveOffset: (offset) => {
      // In between two offsets it would commit a place that no record has, and pass the next one by.
      if (!Number.isInteger(offset) || offset < lane.position || offset >= next) return;
      if (lane.version === version) lane.processed(offset + 1);
    },
    commit: () => {
      // Without autoCommit nobody has noted what was resolved.
      if (lane.version === version) lane.commits.note(lane.position);
      return flushCommits(lane);
    },
    isStale: () => lane.phase !== 'running' || lane.version !== version,
    pause,
  };
}
