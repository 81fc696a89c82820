/** What changed between two looks at the catalogue of topics. */
import type { TopicCatalogue, TopicEntry } from '@millrace/core';

export function hasSameTopics(before: TopicCatalogue, after: TopicCatalogue): boolean {
  if (before.size !== after.size) return false;
  for (const [topic, had] of before) {
    const has = after.get(topic);
    if (has === undefined || has.partitions !== had.partitions || has.incarnation !== had.incarnation)
      return false;
  }
  return true;
}

/**
 * `after` without the topics that were deleted and created again since `before`. Their owners would go on at offsets of
 * a log that is no more, and nothing would tell them: first they have to give the partitions up, as if the topic were
 * deleted, and at the next look it is a new one.
 */
export function withoutRecreated(before: TopicCatalogue, after: TopicCatalogue): TopicCatalogue {
  const kept = new Map<string, TopicEntry>();
  for (const [topic, has] of after) {
    const had = before.get(topic);
    if (had === undefined || had.incarnation === has.incarnation) kept.set(topic, has);
  }
  return kept;
}

const MOST_NAMED = 10;

/** For the group's history. */
export function describeTopicChange(before: TopicCatalogue, after: TopicCatalogue): string {
  const changes: string[] = [];
  for (const [topic, has] of after) {
    const had = before.get(topic);
    if (had === undefined) changes.push(`${topic} created with ${has.partitions} partitions`);
    else if (had.incarnation !== has.incarnation) changes.push(`${topic} deleted and created again`);
    else if (had.partitions !== has.partitions)
      changes.push(`${topic} from ${had.partitions} to ${has.partitions} partitions`);
  }
  for (const topic of before.keys()) if (!after.has(topic)) changes.push(`${topic} deleted`);
  const named = changes.slice(0, MOST_NAMED).join(', ');
  return changes.length > MOST_NAMED ? `${named} and ${changes.length - MOST_NAMED} more` : named;
}
