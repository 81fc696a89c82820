import { eventually } from '@millrace/testkit';
import { expect } from 'vitest';
import type { Consumer, Millrace } from '../../src/index.ts';
import { failure, test } from '../client-fixture.ts';

const group = 'billing';

/** A member that has handled everything that was sent. */
async function runMember(millrace: Millrace, records: number): Promise<Consumer> {
  let handled = 0;
  const consumer = millrace.consumer({ group, topics: ['orders', /^audit-/] });
  await consumer.run({ eachRecord: () => void handled++ });
  await eventually(() => handled === records);
  return consumer;
}

test('a group is described while it works and after it has gone', async ({ millrace }) => {
  const { admin } = millrace;
  await admin.createTopic('orders', { partitions: 2 });
  await admin.createTopic('audit-eu', { partitions: 1 });
  await admin.createTopic('other', { partitions: 1 });
  await using producer = millrace.producer();
  await producer.sendBatch(
    'orders',
    [0, 0, 0, 1].map((partition) => ({ partition, value: 'v' })),
  );
  const consumer = await runMember(millrace, 4);
  const { memberId } = consumer;

  expect(await admin.listGroups()).toEqual([{ group, members: 1 }]);
  await eventually(async () =>
    expect((await admin.describeGroup(group)).partitions.map(({ lag }) => lag)).toEqual([0, 0, 0]),
  );
  const working = await admin.describeGroup(group);
  expect(working).toMatchObject({
    group,
    leader: memberId,
    members: [
      {
        memberId,
        instanceId: null,
        pid: process.pid,
        subscriptions: ['orders', '/^audit-/'],
        partitions: 3,
        isLeaving: false,
      },
    ],
    partitions: [
      { topic: 'audit-eu', partition: 0, owner: memberId, committed: 0, logStart: 0, logEnd: 0, lag: 0 },
      { topic: 'orders', partition: 0, owner: memberId, committed: 3, logStart: 0, logEnd: 3, lag: 0 },
      { topic: 'orders', partition: 1, owner: memberId, committed: 1, logStart: 0, logEnd: 1, lag: 0 },
    ],
  });
  expect(working.assignmentGeneration).toBe(working.generation);

  await consumer.close();
  await producer.send('orders', { partition: 1, value: 'v' });
  const gone = await admin.describeGroup(group);
  expect(gone).toMatchObject({
    leader: null,
    members: [],
    partitions: [
      { topic: 'audit-eu', owner: null, lag: 0 },
      { topic: 'orders', partition: 0, owner: null, committed: 3, lag: 0 },
      { topic: 'orders', partition: 1, owner: null, committed: 1, logEnd: 2, lag: 1 },
    ],
  });
  expect(gone.partitions.every(({ epoch }) => epoch > 0)).toBe(true);
  await admin.deleteGroup(group);
});

test('the history tells who came and went, and can be read in pieces', async ({ millrace }) => {
  const { admin } = millrace;
  await admin.createTopic('orders', { partitions: 1 });
  const consumer = await runMember(millrace, 0);
  await eventually(() => consumer.assignment().length === 1);
  await consumer.close();
  const events = await admin.groupEvents(group);
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['member-joined', 'leader-elected', 'assigned', 'member-left']),
  );
  const first = await admin.groupEvents(group, { count: 1 });
  expect(first).toEqual(events.slice(0, 1));
  expect(await admin.groupEvents(group, { after: first[0]?.id })).toEqual(events.slice(1));
  expect(await admin.groupEvents(group, { after: events.at(-1)?.id })).toEqual([]);
  for (const options of [
    { count: 0 },
    { count: '1' },
    { after: 'yesterday' },
    { after: 5n },
    { limit: 1 },
    null,
  ])
    expect(await failure(admin.groupEvents(group, options as never))).toMatchObject({
      code: 'INVALID_OPTION',
    });
  await admin.deleteGroup(group);
  expect(await failure(admin.groupEvents(group))).toMatchObject({ code: 'UNKNOWN_GROUP' });
});

test('a group with members is not deleted; an empty one begins from the start again', async ({
  millrace,
}) => {
  const { admin } = millrace;
  await admin.createTopic('orders', { partitions: 1 });
  await using producer = millrace.producer();
  await producer.send('orders', { value: 'v' });
  const consumer = await runMember(millrace, 1);
  expect(await failure(admin.deleteGroup(group))).toMatchObject({
    name: 'ConfigError',
    code: 'GROUP_NOT_EMPTY',
    details: { group, members: 1 },
  });
  await consumer.close();
  await admin.deleteGroup(group);
  expect(await admin.listGroups()).toEqual([]);
  const again = await runMember(millrace, 1);
  await again.close();
  await admin.deleteGroup(group);
});

test('an unknown group is an error that says so', async ({ millrace }) => {
  const unknown = {
    name: 'ConfigError',
    code: 'UNKNOWN_GROUP',
    message: expect.stringContaining('"nobody"'),
  };
  expect(await failure(millrace.admin.describeGroup('nobody'))).toMatchObject(unknown);
  expect(await failure(millrace.admin.deleteGroup('nobody'))).toMatchObject(unknown);
  expect(await failure(millrace.admin.groupEvents('nobody'))).toMatchObject(unknown);
});
