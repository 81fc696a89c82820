import { expect } from 'vitest';
import { failure, test } from '../client-fixture.ts';

test('creates, describes, lists, grows and deletes topics', async ({ millrace }) => {
  const { admin } = millrace;
  await admin.createTopic('orders', { partitions: 2 });
  await admin.createTopic('audit', { partitions: 1 });
  await using producer = millrace.producer();
  await producer.sendBatch(
    'orders',
    [0, 0, 1].map((partition) => ({ partition, value: 'v' })),
  );
  await admin.addPartitions('orders', 3);
  expect(await admin.describeTopic('orders')).toEqual({
    name: 'orders',
    createdAtMs: expect.any(Number),
    limits: {},
    partitions: [
      { partition: 0, logStart: 0, logEnd: 2, bytes: expect.any(Number) },
      { partition: 1, logStart: 0, logEnd: 1, bytes: expect.any(Number) },
      { partition: 2, logStart: 0, logEnd: 0, bytes: 0 },
    ],
  });
  expect(await admin.listTopics()).toEqual([
    { name: 'audit', partitions: 1, createdAtMs: expect.any(Number) },
    { name: 'orders', partitions: 3, createdAtMs: expect.any(Number) },
  ]);
  await admin.deleteTopic('audit');
  expect((await admin.listTopics()).map(({ name }) => name)).toEqual(['orders']);
});

test('creating a topic again changes nothing, and with another size is refused', async ({ millrace }) => {
  const { admin } = millrace;
  await admin.createTopic('orders', { partitions: 2 });
  await using producer = millrace.producer();
  await producer.send('orders', { value: 'v', partition: 0 });
  await admin.createTopic('orders', { partitions: 2 });
  expect((await admin.describeTopic('orders')).partitions[0]).toMatchObject({ logEnd: 1 });
  expect(await failure(admin.createTopic('orders', { partitions: 4 }))).toMatchObject({
    name: 'ConfigError',
    code: 'TOPIC_EXISTS',
    message: 'topic "orders" exists with 2 partitions, not 4: use addPartitions to raise them',
    details: { topic: 'orders', partitions: 2 },
  });
});

test('partitions cannot be taken away', async ({ millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 3 });
  expect(await failure(millrace.admin.addPartitions('orders', 2))).toMatchObject({
    code: 'FEWER_PARTITIONS',
    message: expect.stringContaining('topic "orders" has 3 partitions and cannot have only 2'),
  });
  await millrace.admin.addPartitions('orders', 3);
});

test('an unknown topic is named with what to do', async ({ millrace }) => {
  const { admin } = millrace;
  const attempts = [
    admin.describeTopic('orders'),
    admin.addPartitions('orders', 2),
    admin.deleteTopic('orders'),
  ];
  for (const attempt of attempts) {
    expect(await failure(attempt)).toMatchObject({
      code: 'UNKNOWN_TOPIC',
      message: expect.stringContaining('admin.createTopic("orders"'),
    });
  }
});

test('invalid and reserved names are refused before anything is asked', async ({ millrace }) => {
  const { admin } = millrace;
  for (const name of ['', 'with space', 'a/b', 'a{b}', '..', '__internal', 'x'.repeat(201), 'ünïcode']) {
    const attempts = [
      admin.createTopic(name, { partitions: 1 }),
      admin.describeTopic(name),
      admin.addPartitions(name, 1),
      admin.deleteTopic(name),
      admin.offsetForTimestamp(name, 0, 0),
      admin.describeGroup(name),
      admin.groupEvents(name),
      admin.deleteGroup(name),
      millrace.producer().send(name, { value: 'v' }),
    ];
    for (const attempt of attempts) expect(await failure(attempt)).toMatchObject({ code: 'INVALID_NAME' });
  }
});

test('an impossible number of partitions is refused', async ({ millrace }) => {
  for (const partitions of [0, -1, 1.5, NaN, 100_001, '8' as never]) {
    expect(await failure(millrace.admin.createTopic('orders', { partitions }))).toMatchObject({
      code: 'INVALID_OPTION',
    });
  }
  expect(await millrace.admin.listTopics()).toEqual([]);
});

test('options that nobody reads make no topic', async ({ millrace }) => {
  const { admin } = millrace;
  const refused: [unknown, string][] = [
    [{ partitions: 1, limit: { maxRecords: 5 } }, 'no topic option "limit"; did you mean "limits"?'],
    [{ partitions: 1, replication: 3 }, 'no topic option "replication"; there are: partitions, limits'],
    [{ partitions: 1, limits: { maxRecord: 5 } }, 'did you mean "limits.maxRecords"?'],
    [{ partitions: 1, limits: null }, 'topic option "limits" must be an object, not null'],
    [undefined, 'topic options must be an object, not undefined'],
    [4, 'topic options must be an object, not a number'],
  ];
  for (const [options, message] of refused)
    expect(await failure(admin.createTopic('orders', options as never))).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  expect(await admin.listTopics()).toEqual([]);
  expect(await failure(admin.setTopicLimits('orders', undefined as never))).toMatchObject({
    code: 'INVALID_OPTION',
    message: 'topic option "limits" must be an object, not undefined',
  });
  expect(await failure(admin.offsetForTimestamp('orders', 0, '5' as never))).toMatchObject({
    code: 'INVALID_OPTION',
    message: 'timestampMs must be a number of milliseconds, not "5"',
  });
});

test('the offset of a time', async ({ millrace }) => {
  const { admin } = millrace;
  await admin.createTopic('orders', { partitions: 1 });
  await using producer = millrace.producer();
  const first = await producer.send('orders', { value: 'a' });
  let second = await producer.send('orders', { value: 'b' });
  while (second.appendedMs === first.appendedMs) second = await producer.send('orders', { value: 'b' });
  expect(await admin.offsetForTimestamp('orders', 0, 0)).toBe(0);
  expect(await admin.offsetForTimestamp('orders', 0, second.appendedMs)).toBe(second.offset);
  expect(await admin.offsetForTimestamp('orders', 0, second.appendedMs + 60_000)).toBeNull();
  expect(await failure(admin.offsetForTimestamp('orders', 1, 0))).toMatchObject({
    code: 'UNKNOWN_PARTITION',
  });
  expect(await failure(admin.offsetForTimestamp('orders', 0, NaN))).toMatchObject({ code: 'INVALID_OPTION' });
});

test('limits are created with the topic, set anew as a whole, and shown', async ({ millrace }) => {
  const { admin } = millrace;
  await admin.createTopic('orders', { partitions: 1, limits: { maxRecords: 10, onFull: 'trim' } });
  await admin.createTopic('orders', { partitions: 1, limits: { maxRecords: 10, onFull: 'trim' } });
  await admin.createTopic('orders', { partitions: 1 });
  expect(
    await failure(admin.createTopic('orders', { partitions: 1, limits: { maxRecords: 11 } })),
  ).toMatchObject({
    code: 'TOPIC_EXISTS',
    message: expect.stringContaining('{"maxRecords":10,"onFull":"trim"}: use setTopicLimits'),
  });
  expect((await admin.describeTopic('orders')).limits).toEqual({ maxRecords: 10, onFull: 'trim' });
  await admin.setTopicLimits('orders', { maxBytes: 300 });
  expect((await admin.describeTopic('orders')).limits).toEqual({ maxBytes: 300 });
  await using producer = millrace.producer({ deliveryTimeoutMs: 300 });
  await producer.send('orders', { partition: 0, value: 'v'.repeat(200) });
  // A partition that comes later has them, too.
  await admin.addPartitions('orders', 2);
  await producer.send('orders', { partition: 1, value: 'v'.repeat(200) });
  for (const partition of [0, 1])
    expect(await failure(producer.send('orders', { partition, value: 'v'.repeat(200) }))).toMatchObject({
      code: 'TOPIC_FULL',
    });
  await admin.setTopicLimits('orders', {});
  await producer.send('orders', { partition: 0, value: 'v'.repeat(200) });
  expect(await failure(admin.setTopicLimits('audit', {}))).toMatchObject({ code: 'UNKNOWN_TOPIC' });
});
