/** Process: the leader's computation and a member's, which need no server. */
import { emptyAssignment, reconcile, partitionKey, stickyAssignor, type PartitionKey } from '@millrace/core';
import { median } from '../median.ts';
import { serveTasks } from '../run/task-server.ts';

const TOPICS = 10;
const PARTITIONS_A_MEMBER = 100;
const RUNS = 15;

interface Costs {
  /** Of one partition, nanoseconds. */
  readonly assignNs: number;
  readonly reconcileNs: number;
}

function timeOf(work: () => unknown): number {
  const ms = Array.from({ length: RUNS }, () => {
    const startedMs = performance.now();
    work();
    return performance.now() - startedMs;
  });
  return median(ms) * 1e6;
}

/** A group of a hundred partitions a member, when one more joins. */
function assignNs(partitions: number): number {
  const names = Array.from({ length: TOPICS }, (_, topic) => `topic-${topic}`);
  const topics = new Map(names.map((name) => [name, partitions / TOPICS]));
  const member = (index: number) => ({ memberId: `member-${index}`, topics: names });
  const members = Array.from({ length: partitions / PARTITIONS_A_MEMBER }, (_, index) => member(index));
  const current = stickyAssignor.assign({ members, topics, current: emptyAssignment });
  const joined = [...members, member(members.length)];
  return timeOf(() => stickyAssignor.assign({ members: joined, topics, current })) / partitions;
}

/** A member that owns all of them, of which every tenth is taken away and as many are given. */
function reconcileNs(partitions: number): number {
  const keys: PartitionKey[] = Array.from({ length: partitions }, (_, partition) =>
    partitionKey('topic', partition),
  );
  const owned = new Set(keys);
  const target = keys.map((key, index) => (index % 10 === 0 ? partitionKey('other', index) : key));
  return timeOf(() => reconcile(owned, new Set(), target)) / partitions;
}

const tasks = {
  measure({ partitions }: { partitions: number }): Costs {
    return { assignNs: assignNs(partitions), reconcileNs: reconcileNs(partitions) };
  },
};

export type Assigning = typeof tasks;
serveTasks(tasks);
