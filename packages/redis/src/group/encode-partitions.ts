/**
 * Compact text of one member's partitions: `orders:0-3,7;audit:1`. A large group's assignment is read by every member
 * at every rebalance, and runs of neighbours are common, so this is many times smaller than JSON.
 */
import { partitionKey, type PartitionKey } from '@millrace/core';

/** `partitions` of each topic ascending. */
export function encodePartitions(byTopic: ReadonlyMap<string, readonly number[]>): string {
  const topics: string[] = [];
  for (const [topic, partitions] of byTopic) {
    if (partitions.length > 0) topics.push(`${topic}:${encodeRuns(partitions)}`);
  }
  return topics.join(';');
}

function encodeRuns(partitions: readonly number[]): string {
  const runs: string[] = [];
  let first: number | undefined;
  let last = -1;
  // Once more at the end, for the run that is open then.
  for (const next of [...partitions, undefined]) {
    if (first !== undefined && next === last + 1) {
      last = next;
      continue;
    }
    if (first !== undefined) runs.push(first === last ? String(first) : `${first}-${last}`);
    first = next;
    last = next ?? -1;
  }
  return runs.join(',');
}

export function decodePartitions(text: string): Map<string, number[]> {
  const byTopic = new Map<string, number[]>();
  if (text === '') return byTopic;
  for (const part of text.split(';')) {
    const colon = part.indexOf(':');
    const partitions: number[] = [];
    for (const run of part.slice(colon + 1).split(',')) {
      const [first, last = first] = run.split('-').map(Number) as [number, number?];
      for (let partition = first; partition <= (last ?? first); partition++) partitions.push(partition);
    }
    byTopic.set(part.slice(0, colon), partitions);
  }
  return byTopic;
}

export function decodePartitionKeys(text: string): PartitionKey[] {
  const keys: PartitionKey[] = [];
  for (const [topic, partitions] of decodePartitions(text)) {
    for (const partition of partitions) keys.push(partitionKey(topic, partition));
  }
  return keys;
}
