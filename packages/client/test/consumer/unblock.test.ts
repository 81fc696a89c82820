/** A partition that begins to want records while the reader blocks on the others. */
import { eventually } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { connect } from 'millrace';
import { expect } from 'vitest';

test('a user who may not end blocks still reads everything, and is told once', async ({ redis, ioredis }) => {
  const user = `${redis.prefix}-reader`;
  await ioredis.acl('SETUSER', user, 'on', '>secret', '~*', '&*', '+@all', '-client|unblock');
  const url = new URL(redis.url);
  url.username = user;
  url.password = 'secret';
  try {
    await using millrace = await connect({ url: url.href, prefix: redis.prefix, logger: false });
    await millrace.admin.createTopic('orders', { partitions: 2 });
    const producer = millrace.producer();
    const seen: string[] = [];
    const errors: string[] = [];
    await using consumer = millrace.consumer({ group: 'billing', topics: ['orders'] });
    consumer.on('error', ({ code }) => errors.push(code));
    await consumer.run({
      eachRecord: ({ partition, record }) => {
        seen.push(`${partition}:${record.text()}`);
      },
    });
    await eventually(() => consumer.assignment().length === 2);
    for (const round of ['a', 'b', 'c']) {
      // Each seek makes the blocked read ask for the wrong position.
      await producer.send('orders', { partition: 0, value: round });
      await eventually(() => seen.includes(`0:${round}`));
      await consumer.seek({ topic: 'orders', partition: 0, offset: 0 });
      await eventually(() => seen.filter((value) => value === '0:a').length >= 'abc'.indexOf(round) + 2);
    }
    expect(errors.filter((code) => code === 'PERMISSION_DENIED')).toHaveLength(1);
    await consumer.close();
    await millrace.admin.deleteTopic('orders');
    await millrace.admin.deleteGroup('billing');
  } finally {
    await ioredis.acl('DELUSER', user);
  }
});
