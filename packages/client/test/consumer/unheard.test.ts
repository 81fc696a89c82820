/** What becomes of an error that nobody listens to. */
import { eventually } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { connect } from 'millrace';

test('a failing handler that nobody listens to becomes a process warning', async ({ redis }) => {
  const warnings: string[] = [];
  const onWarning = ({ name, message }: Error): void => {
    if (name === 'MillraceWarning') warnings.push(message);
  };
  process.on('warning', onWarning);
  try {
    await using millrace = await connect({ url: redis.url, prefix: redis.prefix });
    await millrace.admin.createTopic('orders', { partitions: 1 });
    await millrace.producer().send('orders', { value: 'v' });
    const consumer = millrace.consumer({ group: 'billing', topics: ['orders'] });
    let calls = 0;
    await consumer.run({
      eachRecord: () => {
        if (calls++ === 0) throw new Error('no');
      },
    });
    await eventually(() => warnings.some((message) => message.includes('orders/0 offset 0')));
    await consumer.close();
    await millrace.admin.deleteTopic('orders');
    await millrace.admin.deleteGroup('billing');
  } finally {
    process.off('warning', onWarning);
  }
});
