import { eventually, startRedis, type RedisServer } from '@millrace/testkit';
import { expect, test as plainTest } from 'vitest';
import { RedisLog, RedisTopicStore, encodeBatch } from '@millrace/redis';
import type { ProducerOptions } from '../../src/index.ts';
import {
  failure,
  openVirtualProducer,
  readPartition,
  test,
  type VirtualProducer,
} from '../client-fixture.ts';

const prefix = 'millrace';

/** A server to freeze, with the topic `orders`, and a producer on virtual time that has sent the record `warm`. */
async function openFreezable(
  options: ProducerOptions = {},
): Promise<{ server: RedisServer; virtual: VirtualProducer } & AsyncDisposable> {
  const server = await startRedis();
  const virtual = await openVirtualProducer({ url: server.url, prefix }, options);
  await new RedisTopicStore(virtual.context.command, virtual.context.keys).create('orders', 1);
  await virtual.producer.send('orders', { value: 'warm' });
  return {
    server,
    virtual,
    async [Symbol.asyncDispose]() {
      await virtual[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

async function stored({ context }: VirtualProducer): Promise<(string | null)[]> {
  return (await readPartition(context.command, prefix, 'orders', 0)).records.map(({ value }) => value);
}

/** Lets what was sent reach the socket. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

plainTest(
  'a record that was not acknowledged in time fails as unknown, and a late arrival keeps its place',
  async () => {
    await using frozen = await openFreezable();
    const { server, virtual } = frozen;
    await server.signal('SIGSTOP');
    const late = failure(virtual.producer.send('orders', { value: 'late' }));
    await turn();
    await virtual.clock.advance(30_000);
    expect(await late).toMatchObject({
      name: 'UnavailableError',
      code: 'DELIVERY_TIMED_OUT',
      retryable: true,
      details: { topic: 'orders', partition: 0, records: 1, outcome: 'unknown' },
    });
    const next = virtual.producer.send('orders', { value: 'next' });
    await server.signal('SIGCONT');
    expect(await next).toMatchObject({ offset: 2 });
    expect(await stored(virtual)).toEqual(['warm', 'late', 'next']);
  },
);

plainTest('after the next record the late one is refused', async () => {
  await using frozen = await openFreezable();
  const { server, virtual } = frozen;
  const { command, keys } = virtual.context;
  const [producerId = '', before = ''] =
    Object.entries(await command.hgetall(keys.partition('orders', 0).producers))[0] ?? [];
  await server.signal('SIGSTOP');
  const late = failure(virtual.producer.send('orders', { value: 'late' }));
  await turn();
  await virtual.clock.advance(30_000);
  await late;
  // The frozen server never gets it: its bytes die with the connection.
  await server.restart?.();
  await eventually(() => command.status === 'ready');
  await virtual.producer.send('orders', { value: 'next' });
  const [producerEpoch = NaN, sequence = NaN] = before.split(' ').map(Number);
  const batch = encodeBatch([{ value: 'late', timestampMs: 0 }]);
  const request = {
    topic: 'orders',
    partition: 0,
    producerId,
    producerEpoch,
    sequence,
    recordCount: 1,
    batch,
  };
  expect(await new RedisLog(command, keys).append(request)).toMatchObject({ status: 'PRODUCER_FENCED' });
  expect(await stored(virtual)).toEqual(['warm', 'next']);
});

plainTest('records that never left are known not to be stored', async () => {
  await using frozen = await openFreezable();
  const { server, virtual } = frozen;
  await server.signal('SIGSTOP');
  const first = failure(virtual.producer.send('orders', { value: 'first' }));
  await turn();
  const second = failure(virtual.producer.send('orders', { value: 'second' }));
  await virtual.clock.advance(30_000);
  expect(await first).toMatchObject({ code: 'DELIVERY_TIMED_OUT', details: { outcome: 'unknown' } });
  expect(await second).toMatchObject({ code: 'DELIVERY_TIMED_OUT', details: { outcome: 'not-written' } });
  await server.signal('SIGCONT');
  await virtual.producer.send('orders', { value: 'third' });
  expect(await stored(virtual)).toEqual(['warm', 'first', 'third']);
});

plainTest('only what is late fails: the younger batch still goes out', async () => {
  await using frozen = await openFreezable();
  const { server, virtual } = frozen;
  await server.signal('SIGSTOP');
  const first = failure(virtual.producer.send('orders', { value: 'first' }));
  await turn();
  await virtual.clock.advance(20_000);
  const second = virtual.producer.send('orders', { value: 'second' });
  await virtual.clock.advance(10_000);
  await first;
  await server.signal('SIGCONT');
  expect(await second).toMatchObject({ offset: 2 });
  expect(await stored(virtual)).toEqual(['warm', 'first', 'second']);
});

plainTest('goes on by itself when Redis has restarted', async () => {
  await using frozen = await openFreezable();
  const { server, virtual } = frozen;
  await server.signal('SIGKILL');
  const sent = [0, 1, 2].map((index) => virtual.producer.send('orders', { value: `v${index}` }));
  await turn();
  await server.restart?.();
  // No timer runs: the connection's return is enough.
  expect(await Promise.all(sent)).toMatchObject([{ offset: 1 }, { offset: 2 }, { offset: 3 }]);
  expect(await stored(virtual)).toEqual(['warm', 'v0', 'v1', 'v2']);
});

plainTest('out of memory is waited out', async () => {
  await using frozen = await openFreezable();
  const { virtual } = frozen;
  const { command } = virtual.context;
  await command.config('SET', 'maxmemory', '1');
  const sent = virtual.producer.send('orders', { value: 'later' });
  let isSettled = false;
  void sent.finally(() => (isSettled = true));
  for (let tries = 0; tries < 5; tries++) {
    await command.ping();
    await virtual.clock.advance(1_000);
  }
  expect(isSettled).toBe(false);
  await command.config('SET', 'maxmemory', '0');
  await command.ping();
  await virtual.clock.advance(1_000);
  expect(await sent).toMatchObject({ offset: 1 });
});

plainTest('out of memory for too long fails, and says so', async () => {
  await using frozen = await openFreezable({ deliveryTimeoutMs: 2_000 });
  const { virtual } = frozen;
  const { command } = virtual.context;
  await command.config('SET', 'maxmemory', '1');
  const error = failure(virtual.producer.send('orders', { value: 'never' }));
  // Each reply comes before time goes on: when it is over, no append is under way whose outcome would be unknown.
  for (let passedMs = 0; passedMs < 2_000; passedMs += 50) {
    await turn();
    await command.ping();
    await virtual.clock.advance(50);
  }
  expect(await error).toMatchObject({
    code: 'DELIVERY_TIMED_OUT',
    message: expect.stringContaining('raise maxmemory'),
    details: { outcome: 'not-written' },
    cause: { code: 'REDIS_REFUSED' },
  });
  await command.config('SET', 'maxmemory', '0');
  await virtual.producer.send('orders', { value: 'next' });
  expect(await stored(virtual)).toEqual(['warm', 'next']);
});

test('a producer that Redis has forgotten goes on', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using virtual = await openVirtualProducer(redis);
  await virtual.producer.send('orders', { value: 'a' });
  const { producers, producerTimes } = virtual.context.keys.partition('orders', 0);
  await ioredis.del(producers, producerTimes);
  expect(await virtual.producer.send('orders', { value: 'b' })).toMatchObject({ offset: 1 });
  expect(await virtual.producer.send('orders', { value: 'c' })).toMatchObject({ offset: 2 });
});

test('a log that lost acknowledged records is reported, and the next records go on', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using virtual = await openVirtualProducer(redis);
  const { producer, context } = virtual;
  await producer.sendBatch(
    'orders',
    ['a', 'b', 'c'].map((value) => ({ value })),
  );
  const { log, state, producers, producerTimes } = context.keys.partition('orders', 0);
  const slot = [log, state, producers, producerTimes];
  const before = await Promise.all(slot.map((key) => ioredis.dumpBuffer(key)));
  await producer.send('orders', { value: 'lost 1' });
  await producer.send('orders', { value: 'lost 2' });
  // What a failover does to a replica that had not received the last two: the whole slot is as it was before.
  await Promise.all(slot.map((key, index) => ioredis.restore(key, 0, before[index] ?? '', 'REPLACE')));

  const error = await failure(producer.send('orders', { value: 'refused' }));
  expect(error).toMatchObject({
    name: 'DataError',
    code: 'LOG_TRUNCATED',
    details: { partition: 0, lost: 2 },
  });
  expect(await producer.send('orders', { value: 'd' })).toMatchObject({ offset: 3 });
  const { records } = await readPartition(ioredis, redis.prefix, 'orders', 0);
  expect(records.map(({ value }) => value)).toEqual(['a', 'b', 'c', 'd']);
});

test('what was written past Millrace is reported', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using virtual = await openVirtualProducer(redis);
  await ioredis.xadd(virtual.context.keys.partition('orders', 0).log, '*', 'a', 'b');
  expect(await failure(virtual.producer.send('orders', { value: 'v' }))).toMatchObject({
    name: 'DataError',
    code: 'FOREIGN_ENTRY',
  });
});
