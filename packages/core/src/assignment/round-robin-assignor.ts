/**
 * Kafka's round-robin assignor: all partitions of all topics in order, dealt to the members in turn. Even when all
 * subscriptions are equal; with different ones it can be far from even, and it is not sticky.
 */
import { reuseUnchanged } from './assignment.ts';
import { indexInput } from './indexed-input.ts';
import type { Assignment, AssignmentInput, Assignor } from './types.ts';

/** Deals partitions in sorted order to sorted members; the turn passes over members that do not subscribe. */
export const roundRobinAssignor: Assignor = {
  name: 'round-robin',
  assign(input: AssignmentInput): Assignment {
    const { memberIds, topics, partitionCounts, subscribers } = indexInput(input);
    const owners = new Map<string, Int32Array>();
    // The member whose turn it is. Its successor among the subscribers is found once a topic, not once a partition: one
    // subscriber among 2,000 members would otherwise cost 2,000 steps a partition.
    let turn = 0;
    for (const [t, topic] of topics.entries()) {
      const takers = subscribers[t]!;
      const list = new Int32Array(partitionCounts[t]!).fill(-1);
      if (takers.length > 0 && list.length > 0) {
        const after = takers.findIndex((m) => m >= turn);
        const first = after < 0 ? 0 : after;
        for (let p = 0; p < list.length; p++) list[p] = takers[(first + p) % takers.length]!;
        turn = (list.at(-1)! + 1) % memberIds.length;
      }
      owners.set(topic, list);
    }
    return reuseUnchanged(input.current, { memberIds, owners });
  },
};
