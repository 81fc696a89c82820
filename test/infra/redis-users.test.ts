/** Each user of `infra/redis/users.acl` can do its job with the product, and not the job of another. */
import { readFile } from 'node:fs/promises';
import { eventually, startRedis } from '@millrace/testkit';
import { connect, type Admin, type Millrace, type MillraceError } from 'millrace';
import { afterAll, beforeAll, expect, test } from 'vitest';

const PASSWORD = 'a-password-for-this-test';
const stack = new AsyncDisposableStack();
const clients: Record<'admin' | 'producer' | 'worker' | 'trimmer' | 'viewer', Millrace> = Object.create(
  null,
) as never;

beforeAll(async () => {
  const file = await readFile(new URL('../../infra/redis/users.acl', import.meta.url), 'utf8');
  const users = file.split('\n').filter((line) => line.startsWith('user millrace-'));
  const user = users.map((line) => line.replace(/^user /, '').replace('resetpass', `resetpass >${PASSWORD}`));
  const server = stack.use(await startRedis({ directives: { user } }));
  for (const role of ['admin', 'producer', 'worker', 'trimmer', 'viewer'] as const) {
    const url = `redis://millrace-${role}:${PASSWORD}@${server.host}:${server.port}`;
    clients[role] = stack.use(await connect({ url, logger: false }));
  }
  await clients.admin.admin.createTopic('orders', { partitions: 2 });
  await clients.admin.admin.createTopic('salaries', { partitions: 1 });
});

afterAll(() => stack.disposeAsync());

const denied = { name: 'ConfigError', code: 'PERMISSION_DENIED', retryable: false };

test('a producer sends to its topics, also under a name, and to no other', async () => {
  const { producer } = clients;
  await producer.producer().send('orders', { key: 'k', value: 'v' });
  await producer.producer({ producerId: 'shop' }).sendBatch('orders', [{ value: 'v' }]);
  await expect(producer.producer().send('salaries', { value: 'v' })).rejects.toMatchObject(denied);
  await expect(producer.admin.createTopic('mine', { partitions: 1 })).rejects.toMatchObject(denied);
  await expect(producer.admin.deleteTopic('orders')).rejects.toMatchObject(denied);
});

test('a producer may wait for replicas', async () => {
  const waiting = clients.producer.producer({
    acks: 'replicated',
    ackTimeoutMs: 10,
    deliveryTimeoutMs: 1_000,
  });
  // There are none; that it was asked is what counts.
  await expect(waiting.send('orders', { value: 'v' })).rejects.toMatchObject({ code: 'NOT_REPLICATED' });
});

test('a worker works through its topics without an error, leaves in order, and cannot send', async () => {
  const { worker, producer } = clients;
  await producer.producer().send('orders', { value: 'for the worker' });
  const consumer = worker.consumer({ group: 'billing', topics: ['orders'] });
  const errors: MillraceError[] = [];
  consumer.on('error', (error) => void errors.push(error));
  const handled: (string | null)[] = [];
  await consumer.run({ eachRecord: ({ record }) => void handled.push(record.text()) });
  await eventually(() => handled.includes('for the worker'));
  await consumer.close();
  expect(errors).toEqual([]);
  await expect(worker.producer().send('orders', { value: 'v' })).rejects.toMatchObject(denied);
});

test(
  'a trimmer trims what is done, and a producer what is over the limit of its topic',
  { timeout: 60_000 },
  async () => {
    const { trimmer, producer, admin } = clients;
    await admin.admin.setTopicLimits('orders', { trimCommittedAfterMs: 0 });
    await producer.producer().send('orders', { partition: 0, value: 'done' });
    const consumer = trimmer.consumer({ group: 'billing', topics: ['orders'] });
    const errors: MillraceError[] = [];
    consumer.on('error', (error) => void errors.push(error));
    await consumer.run({ eachRecord: () => {} });
    const logs = async () => (await admin.admin.describeTopic('orders')).partitions;
    await eventually(async () => (await logs()).every(({ logStart, logEnd }) => logStart === logEnd));
    await consumer.close();
    expect(errors).toEqual([]);
    await admin.admin.setTopicLimits('orders', { maxRecords: 1, onFull: 'trim' });
    const { offset } = await producer.producer().send('orders', { partition: 0, value: 'trimmed' });
    await producer.producer().send('orders', { partition: 0, value: 'kept' });
    expect((await logs())[0]).toMatchObject({ logStart: offset + 1, logEnd: offset + 2 });
    await admin.admin.setTopicLimits('orders', {});
  },
);

test(
  'a worker that may not trim says so once while it leads, and works on',
  { timeout: 60_000 },
  async () => {
    const { worker, producer, admin } = clients;
    await admin.admin.setTopicLimits('orders', { trimCommittedAfterMs: 0 });
    const consumer = worker.consumer({ group: 'billing', topics: ['orders'] });
    const errors: MillraceError[] = [];
    consumer.on('error', (error) => void errors.push(error));
    const handled: (string | null)[] = [];
    await consumer.run({ eachRecord: ({ record }) => void handled.push(record.text()) });
    await eventually(() => errors.some(({ code }) => code === denied.code));
    await producer.producer().send('orders', { value: 'after it was refused' });
    await eventually(() => handled.includes('after it was refused'));
    await consumer.close();
    // The first is what the test before has trimmed past this group.
    expect(errors).toMatchObject([{ code: 'OFFSET_OUT_OF_RANGE' }, denied]);
    await admin.admin.setTopicLimits('orders', {});
  },
);

test.for<[string, (admin: Admin) => Promise<unknown>]>([
  ['listTopics', (admin) => admin.listTopics()],
  ['describeTopic', (admin) => admin.describeTopic('orders')],
  ['offsetForTimestamp', (admin) => admin.offsetForTimestamp('orders', 0, 0)],
  ['listGroups', (admin) => admin.listGroups()],
  ['describeGroup', (admin) => admin.describeGroup('billing')],
  ['groupEvents', (admin) => admin.groupEvents('billing')],
])('a viewer may ask for %s', async ([, ask]) => {
  expect(await ask(clients.viewer.admin)).toBeDefined();
});

test('a viewer changes nothing', async () => {
  const { admin } = clients.viewer;
  await expect(admin.createTopic('mine', { partitions: 1 })).rejects.toMatchObject(denied);
  await expect(admin.setTopicLimits('orders', {})).rejects.toMatchObject(denied);
  await expect(admin.addPartitions('orders', 3)).rejects.toMatchObject(denied);
  await expect(admin.deleteTopic('orders')).rejects.toMatchObject(denied);
  await expect(admin.deleteGroup('billing')).rejects.toMatchObject(denied);
});

test('an admin may do all of it', async () => {
  const { admin } = clients.admin;
  await admin.deleteGroup('billing');
  await admin.addPartitions('orders', 3);
  await admin.deleteTopic('orders');
  await admin.deleteTopic('salaries');
  expect(await admin.listTopics()).toEqual([]);
});
