/**
 * How long the partitions of a killed worker stood still: from its SIGKILL to the first record that an heir has
 * handled. By the clock of the Redis server at both ends, so that no two clocks are compared.
 */
import type { Kill, PartitionHistory, SinkEntry } from './evidence.ts';

/**
 * One number (milliseconds) for each partition that a killed worker owned and left work in, in rising order. Work means
 * that the first record of the heir was in the log before the heir was ready: it has waited. A partition whose next
 * record came later has not; its number would say when the producer got round to it, or flatter the median.
 */
export function measureResumes(partitions: readonly PartitionHistory[], kills: readonly Kill[]): number[] {
  const resumes: number[] = [];
  for (const kill of kills) {
    for (const { entries } of partitions) {
      const resume = measureResume(entries, kill);
      if (resume !== undefined) resumes.push(resume);
    }
  }
  return resumes.sort((a, b) => a - b);
}

function measureResume(entries: readonly SinkEntry[], kill: Kill): number | undefined {
  const owned = entries.findLast((entry) => entry.atMs <= kill.atMs);
  if (owned?.worker !== kill.worker) return undefined;
  // What the killed worker had sent before it died may arrive after it; an heir is known by its higher epoch.
  const first = entries.find((entry) => entry.type === 'applied' && entry.epoch > owned.epoch);
  if (first?.type !== 'applied') return undefined;
  const opened = entries.find((entry) => entry.type === 'opened' && entry.epoch === first.epoch) ?? first;
  return first.appendedMs <= opened.atMs ? first.atMs - kill.atMs : undefined;
}
