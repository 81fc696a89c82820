/** The users of `infra/redis/users.acl` on a Redis Cluster, where the driver asks for more than the product does. */
import { readFile } from 'node:fs/promises';
import { eventually, startRedis } from '@millrace/testkit';
import { connect } from 'millrace';
import { closeConnection, openConnection } from '@millrace/redis';
import { expect, test } from 'vitest';

const PASSWORD = 'a-password-for-this-test';

test('a producer and a worker do their jobs in a cluster', async () => {
  const file = await readFile(new URL('../../infra/redis/users.acl', import.meta.url), 'utf8');
  const users = file.split('\n').filter((line) => line.startsWith('user millrace-'));
  const user = users.map((line) => line.replace(/^user /, '').replace('resetpass', `resetpass >${PASSWORD}`));
  await using server = await startRedis({
    directives: { user, 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' },
  });
  const operator = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'operator');
  await operator.cluster('ADDSLOTSRANGE', 0, 16_383);
  await closeConnection(operator);
  const open = (role: string) =>
    connect({
      cluster: { seeds: [`redis://millrace-${role}:${PASSWORD}@${server.host}:${server.port}`] },
      logger: false,
    });
  await using admin = await open('admin');
  await using producer = await open('producer');
  await using worker = await open('worker');
  await admin.admin.createTopic('orders', { partitions: 2 });
  await using consumer = worker.consumer({ group: 'billing', topics: ['orders'] });
  const codes: string[] = [];
  const values: (string | null)[] = [];
  consumer.on('error', ({ code }) => codes.push(code));
  await consumer.run({ eachRecord: ({ record }) => void values.push(record.text()) });
  await producer.producer().send('orders', { value: 'one' });
  await eventually(() => values.length === 1);
  // The second one ends a read that is blocked.
  consumer.pause([{ topic: 'orders', partition: 0 }]);
  consumer.resume([{ topic: 'orders', partition: 0 }]);
  await producer.producer().send('orders', { value: 'two' });
  await eventually(() => values.length === 2);
  expect(codes).toEqual([]);
});
