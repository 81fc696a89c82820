/** What a new leader does before its first audit. */
import {
  initialLiveness,
  stickyAssignor,
  type GroupStore,
  type GroupWatch,
  type MemberDescription,
  type PartitionStore,
  type TopicStore,
} from '@millrace/core';
import { VirtualClock } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { Reign } from './reign.ts';
import { SerialWork } from './serial-work.ts';

const MEMBER: MemberDescription = {
  memberId: 'a',
  session: 's',
  host: 'h',
  pid: 1,
  subscriptions: [{ kind: 'name', topic: 'orders' }],
  capacity: 1,
  leaseMs: 10_000,
  assignor: 'sticky',
  isLeaving: false,
  joinedAtMs: 0,
};

test('producers that wait at a limit are made room for once the group has an assignment', async () => {
  const clock = new VirtualClock();
  const calls: string[] = [];
  let assignmentGeneration = 0;
  const watch = (): GroupWatch => ({
    generation: 1,
    assignmentGeneration,
    leader: { memberId: 'a', epoch: 5 },
    deputies: [],
    server: 'one',
    serverTimeMs: 0,
    signs: new Map([['a', { subscribers: 1, beat: 1 }]]),
  });
  const group: Partial<GroupStore> = {
    snapshot: async () => ({
      ...watch(),
      members: new Map([['a', MEMBER]]),
      beats: new Map([['a', 1]]),
      owners: new Map(),
    }),
    watch: async () => watch(),
    async publish({ generation }) {
      calls.push('publishes');
      assignmentGeneration = generation;
      return 'OK';
    },
  };
  const topics: Partial<TopicStore> = {
    catalogue: async () =>
      new Map([
        ['orders', { partitions: 1, incarnation: 'x', limits: { version: 1, limits: { maxRecords: 3 } } }],
        ['others', { partitions: 1, incarnation: 'y', limits: { version: 1, limits: { maxRecords: 3 } } }],
      ]),
  };
  const partitions: Partial<PartitionStore> = {
    async trim({ topic, partition }) {
      calls.push(`looks at ${topic}/${partition}`);
      const [logStart, logEnd, bytes, batches] = [0, 0, 0, 0];
      return { status: 'TRIMMED', logStart, logEnd, bytes, batches, waitMs: null, isPressed: false };
    },
  };
  const work = new SerialWork((error, during) => calls.push(`${during}: ${String(error)}`));
  work.start();
  const reign = new Reign(
    {
      clock,
      random: { next: () => 0.99, nonce: () => 'nonce' },
      group: group as GroupStore,
      topics: topics as TopicStore,
      partitions: partitions as PartitionStore,
      identity: () => ({ memberId: 'a', session: 's' }),
      onError: (error) => calls.push(error.message),
      onTransportFailure: (error, during) => calls.push(`${during}: ${String(error)}`),
      onLeading: () => {},
      onDeposed: () => calls.push('deposed'),
    },
    { group: 'billing', assignor: stickyAssignor, leaseMs: 10_000, handOverTimeoutMs: 10_000 },
    work,
    {
      memberId: 'a',
      epoch: 5,
      assignment: { memberIds: [], owners: new Map() },
      incarnations: new Map(),
      liveness: initialLiveness(clock.monotonicMs()),
    },
  );
  await reign.begin();
  await clock.advance(1_000);
  expect(calls).toEqual(['publishes', 'looks at orders/0']);

  reign.end();
  expect(clock.pendingTimers).toBe(0);
});
