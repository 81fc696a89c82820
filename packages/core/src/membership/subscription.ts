/** From what members subscribed to, to the topics that exist. */
import { ConfigError } from '../errors.ts';
import { parseName } from '../names.ts';
import type { MemberDescription, TopicSubscription } from '../ports/group-store.ts';
import type { AssignmentMember } from '../assignment/types.ts';

/** Throws `INVALID_NAME` or `INVALID_OPTION` (ConfigError). */
export function parseSubscription(selector: string | RegExp): TopicSubscription {
  if (typeof selector === 'string') return { kind: 'name', topic: parseName('topic', selector) };
  if (selector.global || selector.sticky) {
    throw new ConfigError(
      'INVALID_OPTION',
      `topic pattern ${String(selector)} has the flag "g" or "y", whose state between tests would skip topics: drop the flag`,
    );
  }
  return { kind: 'pattern', source: selector.source, flags: selector.flags };
}

export function matchTopics(
  subscriptions: readonly TopicSubscription[],
  topics: ReadonlyMap<string, number>,
): readonly string[] {
  const matched = new Set<string>();
  for (const subscription of subscriptions) {
    switch (subscription.kind) {
      case 'name':
        if (topics.has(subscription.topic)) matched.add(subscription.topic);
        break;
      case 'pattern': {
        const pattern = new RegExp(subscription.source, subscription.flags);
        for (const topic of topics.keys()) if (pattern.test(topic)) matched.add(topic);
        break;
      }
      default:
        subscription satisfies never;
    }
  }
  return [...matched].sort();
}

/** Members as the assignors take them. Members with one subscription share one array, which assignors rely on for speed. */
export function resolveMembers(
  members: Iterable<MemberDescription>,
  topics: ReadonlyMap<string, number>,
): AssignmentMember[] {
  const resolved = new Map<string, readonly string[]>();
  const result: AssignmentMember[] = [];
  for (const member of members) {
    const key = JSON.stringify(member.subscriptions);
    let matched = resolved.get(key);
    if (matched === undefined) {
      matched = matchTopics(member.subscriptions, topics);
      resolved.set(key, matched);
    }
    result.push({ memberId: member.memberId, topics: matched, capacity: member.capacity });
  }
  return result;
}
