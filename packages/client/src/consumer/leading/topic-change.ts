/** What changed between two looks at the catalogue of topics. Both map a topic to its number of partitions. */

export function hasSameTopics(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): boolean {
  if (before.size !== after.size) return false;
  for (const [topic, partitions] of before) if (after.get(topic) !== partitions) return false;
  return true;
}

const MOST_NAMED = 10;

/** For the group's history. */
export function describeTopicChange(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): string {
  const changes: string[] = [];
  for (const [topic, partitions] of after) {
    const had = before.get(topic);
    if (had === undefined) changes.push(`${topic} created with ${partitions} partitions`);
    else if (had !== partitions) changes.push(`${topic} from ${had} to ${partitions} partitions`);
  }
  for (const topic of before.keys()) if (!after.has(topic)) changes.push(`${topic} deleted`);
  const named = changes.slice(0, MOST_NAMED).join(', ');
  return changes.length > MOST_NAMED ? `${named} and ${changes.length - MOST_NAMED} more` : named;
}
