/** From what users subscribe with to what the group stores, and the check that it makes sense now. */
import { ConfigError, parseSubscription, type TopicStore, type TopicSubscription } from '@millrace/core';
import type { TopicSelector } from '../topic/topic-definition.ts';

export function toSubscription(selector: TopicSelector): TopicSubscription {
  return parseSubscription(selector instanceof RegExp ? selector : topicName(selector));
}

/** A name that does not exist is a mistake of now: throws `UNKNOWN_TOPIC` (ConfigError). A pattern may match later. */
export async function verifyTopicsExist(
  topics: TopicStore,
  selectors: readonly TopicSelector[],
): Promise<void> {
  const existing = await topics.partitionCounts();
  for (const selector of selectors) {
    if (selector instanceof RegExp) continue;
    const name = topicName(selector);
    if (existing.has(name)) continue;
    throw new ConfigError(
      'UNKNOWN_TOPIC',
      `topic "${name}" does not exist: create it with admin.createTopic("${name}", { partitions })`,
      { details: { topic: name } },
    );
  }
}

function topicName(selector: Exclude<TopicSelector, RegExp>): string {
  return typeof selector === 'string' ? selector : selector.name;
}
