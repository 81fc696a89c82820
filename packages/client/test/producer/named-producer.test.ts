import { createKeys } from '@millrace/redis';
import { expect } from 'vitest';
import { openVirtualProducer, readPartition, failure, test } from '../client-fixture.ts';

const producerId = 'billing-export';

/** Named producers are remembered for ever: the only key that no part of the product deletes. */
test.afterEach(async ({ redis, ioredis }) => {
  await ioredis.del(createKeys(redis.prefix).producers);
});

test('the newer of two producers with one id shuts the older out', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using older = await openVirtualProducer(redis, { producerId });
  await older.producer.send('orders', { value: 'older' });
  await using newer = await openVirtualProducer(redis, { producerId });
  await newer.producer.send('orders', { value: 'newer' });

  const fenced = {
    name: 'FencedError',
    code: 'PRODUCER_FENCED',
    retryable: false,
    message: expect.stringContaining(producerId),
  };
  const together = ['x', 'y'].map((value) => failure(older.producer.send('orders', { value })));
  expect(await Promise.all(together)).toMatchObject([fenced, fenced]);
  expect(await failure(older.producer.sendBatch('orders', [{ value: 'z' }]))).toMatchObject(fenced);
  expect(await newer.producer.send('orders', { value: 'again' })).toMatchObject({ offset: 2 });
  const { records } = await readPartition(ioredis, redis.prefix, 'orders', 0);
  expect(records.map(({ value }) => value)).toEqual(['older', 'newer', 'again']);
});

test('sends nothing more once it knows that it is shut out', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 64 });
  await using older = await openVirtualProducer(redis, { producerId });
  await older.producer.send('orders', { partition: 0, value: 'older' });
  await using newer = await openVirtualProducer(redis, { producerId });
  await newer.producer.send('orders', { partition: 0, value: 'newer' });
  // The newer one was at partition 0 alone, so that no other one would refuse the older. What is sent at a time is
  // limited: most of these still wait when the first is refused.
  const sent = Array.from({ length: 64 }, (_, partition) =>
    older.producer.send('orders', { partition, value: 'late' }).then(
      () => 'stored',
      () => 'refused',
    ),
  );
  const outcomes = await Promise.all(sent);
  const stored = await Promise.all(
    outcomes.map(async (_, partition) => {
      const { records } = await readPartition(ioredis, redis.prefix, 'orders', partition);
      return records.some(({ value }) => value === 'late');
    }),
  );
  expect(outcomes[0]).toBe('refused');
  // But for those that were under way with the first.
  expect(stored.slice(8)).not.toContain(true);
});

test('an older one cannot come back with a new epoch', async ({ redis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 2 });
  await using older = await openVirtualProducer(redis, { producerId });
  await older.producer.send('orders', { partition: 0, value: 'older' });
  await using newer = await openVirtualProducer(redis, { producerId });
  await newer.producer.send('orders', { partition: 1, value: 'newer' });
  // Forgotten by the partition, the older one needs a new epoch; the name is not its own any more.
  const { command, keys } = older.context;
  const { producers, producerTimes } = keys.partition('orders', 0);
  await command.del(producers, producerTimes);
  expect(await failure(older.producer.send('orders', { partition: 0, value: 'x' }))).toMatchObject({
    code: 'PRODUCER_FENCED',
  });
});

test('one epoch serves all partitions', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 8 });
  await using virtual = await openVirtualProducer(redis, { producerId });
  const values = Array.from({ length: 8 }, (_, partition) => ({ partition, value: 'v' }));
  await virtual.producer.sendBatch('orders', values);
  const states = await Promise.all(
    values.map(({ partition }) =>
      ioredis.hget(virtual.context.keys.partition('orders', partition).producers, producerId),
    ),
  );
  expect(new Set(states.map((state) => state?.split(' ')[0])).size).toBe(1);
});

test('the same id goes on after a restart', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  for (const value of ['first', 'second', 'third']) {
    await using virtual = await openVirtualProducer(redis, { producerId });
    await virtual.producer.send('orders', { value });
  }
  const { records } = await readPartition(ioredis, redis.prefix, 'orders', 0);
  expect(records.map(({ value }) => value)).toEqual(['first', 'second', 'third']);
});
