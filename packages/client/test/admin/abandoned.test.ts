/** Groups whose members are gone without anybody left to notice. */
import { test } from '@millrace/testkit/vitest';
import { connect } from 'millrace';
import { expect } from 'vitest';

test('a group that only a closed static member is left in is deleted after its lease', async ({ redis }) => {
  await using millrace = await connect({ url: redis.url, prefix: redis.prefix, logger: false });
  await millrace.admin.createTopic('orders', { partitions: 2 });
  await using consumer = millrace.consumer({
    group: 'billing',
    topics: ['orders'],
    instanceId: 'pod-0',
    leaseMs: 300,
  });
  await consumer.run({ eachRecord: () => {} });
  await expect(millrace.admin.deleteGroup('billing')).rejects.toMatchObject({ code: 'GROUP_NOT_EMPTY' });
  await consumer.close();
  await millrace.admin.deleteGroup('billing');
  await expect(millrace.admin.listGroups()).resolves.toEqual([]);
  await millrace.admin.deleteTopic('orders');
});

test('also one whose member was closed before anybody led', async ({ redis }) => {
  await using millrace = await connect({ url: redis.url, prefix: redis.prefix, logger: false });
  await millrace.admin.createTopic('orders', { partitions: 2 });
  for (let round = 0; round < 5; round++) {
    const consumer = millrace.consumer({
      group: 'billing',
      topics: ['orders'],
      instanceId: 'pod-0',
      leaseMs: 300,
    });
    await consumer.run({ eachRecord: () => {} });
    await consumer.close();
    await millrace.admin.deleteGroup('billing');
  }
  await millrace.admin.deleteTopic('orders');
});
