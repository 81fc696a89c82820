/** What changed between two looks at the catalogue of topics. */
import type { Assignment, TopicCatalogue } from '@millrace/core';

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
 * Of the topics in an assignment: published with it, so that whoever owns a partition of a topic that was deleted and
 * created again since finds out, however late it looks. (Assigning nothing of such a topic for one generation, so that
 * its owners give it up, was missed by an owner that was cut off meanwhile, and by a leader that began after it.)
 */
export function incarnationsOf(topics: TopicCatalogue, assignment: Assignment): Map<string, string> {
  const incarnations = new Map<string, string>();
  for (const topic of assignment.owners.keys()) {
    const entry = topics.get(topic);
    if (entry !== undefined) incarnations.set(topic, entry.incarnation);
  }
  return incarnations;
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
