/**
 * Kafka's range assignor: neighbouring partitions to one member, topic by topic. Two topics with the same partition
 * count and the same subscribers are cut alike, which is what joining them by key needs. It is not sticky, and with
 * many small topics the first members get more: prefer the sticky assignor unless topics have to be cut alike.
 */
import { reuseUnchanged } from './assignment.ts';
import { indexInput } from './indexed-input.ts';
import type { Assignment, AssignmentInput, Assignor } from './types.ts';

/** Sorted subscribers of a topic get floor(P/N) partitions in a row, the first P mod N of them one more. */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(input: AssignmentInput): Assignment {
    const { memberIds, topics, partitionCounts, subscribers } = indexInput(input);
    const owners = new Map<string, Int32Array>();
    for (const [t, topic] of topics.entries()) {
      const partitions = partitionCounts[t]!;
      const takers = subscribers[t]!;
      const list = new Int32Array(partitions).fill(-1);
      const floor = Math.floor(partitions / takers.length);
      const extras = partitions % takers.length;
      let start = 0;
      for (let i = 0; i < takers.length; i++) {
        const end = start + floor + (i < extras ? 1 : 0);
        list.fill(takers[i]!, start, end);
        start = end;
      }
      owners.set(topic, list);
    }
    return reuseUnchanged(input.current, { memberIds, owners });
  },
};
