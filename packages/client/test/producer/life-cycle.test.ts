import { RedisTopicStore } from '@millrace/redis';
import { startRedis } from '@millrace/testkit';
import { expect } from 'vitest';
import { connect, topic, json } from '../../src/index.ts';
import { failure, openVirtualProducer, readPartition, test } from '../client-fixture.ts';

const closed = { name: 'ClosedError', code: 'CLOSED' };

test('close delivers what was sent, refuses what comes after, and leaves no timer', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 2 });
  await using virtual = await openVirtualProducer(redis, { lingerMs: 10_000 });
  const sent = [0, 1, 2].map((index) =>
    virtual.producer.send('orders', { partition: 0, value: `v${index}` }),
  );
  const closing = virtual.producer.close();
  expect(await failure(virtual.producer.send('orders', { value: 'late' }))).toMatchObject(closed);
  expect(await failure(virtual.producer.sendBatch('orders', [{ value: 'late' }]))).toMatchObject(closed);
  await Promise.all([closing, virtual.producer.close()]);
  expect(await Promise.all(sent)).toHaveLength(3);
  expect(virtual.clock.pendingTimers).toBe(0);
  expect((await readPartition(ioredis, redis.prefix, 'orders', 0)).records).toHaveLength(3);
  expect(virtual.context.command.listenerCount('ready')).toBe(0);
});

test('close ends in bounded time although Redis is gone', async () => {
  const server = await startRedis();
  await using virtual = await openVirtualProducer({ url: server.url, prefix: 'millrace' });
  await new RedisTopicStore(virtual.context.command, virtual.context.keys).create('orders', 1);
  await virtual.producer.send('orders', { value: 'warm' });
  await server.stop();
  const stored = failure(virtual.producer.send('orders', { value: 'v' }));
  const unknown = failure(virtual.producer.send('other', { value: 'v' }));
  const closing = virtual.producer.close();
  await virtual.clock.advance(90_000);
  await closing;
  expect(await stored).toMatchObject({ code: 'DELIVERY_TIMED_OUT' });
  expect(await unknown).toMatchObject({ code: 'REDIS_UNREACHABLE' });
  expect(virtual.clock.pendingTimers).toBe(0);
});

test('closing the client closes its producers, and both refuse work afterwards', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  const client = await connect({ url: redis.url, prefix: redis.prefix, name: 'closing' });
  const producers = [client.producer({ lingerMs: 20_000 }), client.producer()];
  const sent = producers.map((producer, index) => producer.send('orders', { value: `${index}` }));
  await client.close();
  expect(await Promise.all(sent)).toHaveLength(2);
  expect(await failure(producers[0]?.send('orders', { value: 'v' }) ?? Promise.resolve())).toMatchObject(
    closed,
  );
  expect(() => client.producer()).toThrow(expect.objectContaining(closed));
  expect((await readPartition(ioredis, redis.prefix, 'orders', 0)).records).toHaveLength(2);
});

test('one slow validator holds up its topic, in the order of the calls, and no other', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('slow', { partitions: 1 });
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using producer = millrace.producer();
  const releases = new Map<string, () => void>();
  const slow = {
    ...topic('slow', { value: json<string>() }),
    value: {
      encode: async (value: string) => {
        if (value.startsWith('wait')) await new Promise<void>((resolve) => releases.set(value, resolve));
        if (value.startsWith('bad')) throw new TypeError('hunter2');
        return value;
      },
      decode: (stored: Buffer) => stored.toString(),
    },
  };
  const first = producer.send(slow, { value: 'wait 1' });
  const bad = failure(producer.send(slow, { value: 'bad' }));
  const second = producer.send(slow, { value: 'quick' });
  await producer.send('orders', { value: 'v' });
  releases.get('wait 1')?.();
  expect(await first).toMatchObject({ offset: 0 });
  expect(await bad).toMatchObject({ code: 'INVALID_RECORD' });
  expect(await second).toMatchObject({ offset: 1 });
  const { records } = await readPartition(ioredis, redis.prefix, 'slow', 0);
  expect(records.map(({ value }) => value)).toEqual(['wait 1', 'quick']);
});

test('a validator that never answers fails its own call and sets the others free', async ({
  redis,
  millrace,
}) => {
  await millrace.admin.createTopic('slow', { partitions: 1 });
  await using virtual = await openVirtualProducer(redis, { maxBlockMs: 1_000 });
  const stuck = {
    ...topic('slow'),
    value: { encode: () => new Promise<string>(() => {}), decode: () => null },
  };
  const never = failure(virtual.producer.send(stuck, { value: 'v' }));
  await virtual.clock.advance(999);
  const behind = virtual.producer.send('slow', { value: 'v' });
  await virtual.clock.advance(1);
  expect(await never).toMatchObject({ code: 'TIMED_OUT', message: expect.stringContaining('validator') });
  expect(await behind).toMatchObject({ offset: 0 });
});
