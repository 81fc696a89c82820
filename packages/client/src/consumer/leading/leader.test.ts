/** A leader that is stopped while it is being elected. */
import {
  stickyAssignor,
  type GroupStore,
  type GroupView,
  type PartitionStore,
  type TopicStore,
} from '@millrace/core';
import { VirtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { Leader } from './leader.ts';

const NOBODY: GroupView = {
  generation: 1,
  assignmentGeneration: 0,
  leader: { memberId: '', epoch: 4 },
  deputies: [],
};

test('who is elected while it stops resigns, and leaves no timer behind', async () => {
  const clock = new VirtualClock();
  const calls: string[] = [];
  const asked = Promise.withResolvers<void>();
  const assignment = Promise.withResolvers<Awaited<ReturnType<GroupStore['readAssignment']>>>();
  const group: Partial<GroupStore> = {
    tryLock: async () => true,
    elect: async () => 5,
    readAssignment() {
      asked.resolve();
      return assignment.promise;
    },
    async releaseLock() {
      calls.push('lock released');
    },
    async depose(leader, reason) {
      calls.push(`${leader.memberId} ${leader.epoch} ${reason}`);
      return 'OK';
    },
  };
  const leader = new Leader(
    {
      clock,
      random: { next: () => 0.5, nonce: () => 'nonce' },
      group: group as GroupStore,
      topics: {} as TopicStore,
      partitions: {} as PartitionStore,
      identity: () => ({ memberId: 'a', session: 's' }),
      onError: (error) => calls.push(`error ${error.message}`),
      onTransportFailure: (error) => calls.push(`failure ${String(error)}`),
      onLeading: (isLeading) => calls.push(isLeading ? 'leads' : 'leads no more'),
    },
    { group: 'billing', assignor: stickyAssignor, leaseMs: 10_000, handOverTimeoutMs: 10_000 },
  );
  leader.start(NOBODY);
  leader.onView(NOBODY);
  await clock.advance(1_000);
  await asked.promise;

  const stopped = leader.stop();
  assignment.resolve({
    generation: 1,
    assignment: { memberIds: [], owners: new Map() },
    incarnations: new Map(),
  });
  await stopped;
  expect(calls).toEqual(['lock released', 'a 5 resigned']);
  expect(clock.pendingTimers).toBe(0);
});
