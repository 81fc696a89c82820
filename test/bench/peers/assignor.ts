/** Process: the leader's computation and a member's, which need no server. */
import { emptyAssignment, reconcile, partitionKey, stickyAssignor, type PartitionKey } from '@millrace/core';
import { serveTasks } from '../run/task-server.ts';

const TOPICS = 10;
const PARTITIONS_A_MEMBER = 100;
/** Partitions worked through in one measurement, whatever the size of the group. */
const PARTITIONS_MEASURED = 1_000_000;

interface Costs {
  /** Of one partition, nanoseconds. */
  readonly assignNs: number;
  readonly reconcileNs: number;
  /** Of one name put into a Set and looked up in another: what no longer fits the caches makes this dearer, too. */
  readonly setsNs: number;
}

/** Processor time, nanoseconds for each of the partitions: the large groups would be interrupted, the small ones not. */
function costNs(partitions: number, work: () => unknown): number {
  const runs = PARTITIONS_MEASURED / partitions;
  const before = process.cpuUsage();
  for (let run = 0; run < runs; run++) work();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1e3) / (runs * partitions);
}

/** A group of a hundred partitions a member, when one more joins. */
function assignNs(partitions: number): number {
  const names = Array.from({ length: TOPICS }, (_, topic) => `topic-${topic}`);
  const topics = new Map(names.map((name) => [name, partitions / TOPICS]));
  const member = (index: number) => ({ memberId: `member-${index}`, topics: names });
  const members = Array.from({ length: partitions / PARTITIONS_A_MEMBER }, (_, index) => member(index));
  const current = stickyAssignor.assign({ members, topics, current: emptyAssignment });
  const joined = [...members, member(members.length)];
  return costNs(partitions, () => stickyAssignor.assign({ members: joined, topics, current }));
}

/** A member that owns all of them, of which every tenth is taken away and as many are given. */
function reconcileCosts(partitions: number): Pick<Costs, 'reconcileNs' | 'setsNs'> {
  const keys: PartitionKey[] = Array.from({ length: partitions }, (_, partition) =>
    partitionKey('topic', partition),
  );
  const owned = new Set(keys);
  const target = keys.map((key, index) => (index % 10 === 0 ? partitionKey('other', index) : key));
  return {
    reconcileNs: costNs(partitions, () => reconcile(owned, new Set(), target)),
    setsNs: costNs(partitions, () => {
      const made = new Set(target);
      let found = 0;
      for (const key of made) if (owned.has(key)) found++;
      if (found === 0) throw new Error('nine of ten are in both');
    }),
  };
}

const tasks = {
  measure({ partitions }: { partitions: number }): Costs {
    return { assignNs: assignNs(partitions), ...reconcileCosts(partitions) };
  },
};

export type Assigning = typeof tasks;
serveTasks(tasks);
