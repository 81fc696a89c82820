/** How long a partition that had work stood still, whoever owned it: the price of every hand-over together. */
import type { PartitionHistory } from './evidence.ts';

/** The longest, milliseconds; 0 where no record was applied. A record begins to wait when it is in the log. */
export function longestStandstillMs(partitions: readonly PartitionHistory[]): number {
  let longest = 0;
  for (const { entries } of partitions) {
    let previousMs = 0;
    for (const entry of entries) {
      if (entry.type !== 'applied') continue;
      longest = Math.max(longest, entry.atMs - Math.max(previousMs, entry.appendedMs));
      previousMs = entry.atMs;
    }
  }
  return longest;
}
