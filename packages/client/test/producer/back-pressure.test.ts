import { inspect } from 'node:util';
import { RedisTopicStore } from '@millrace/redis';
import { eventually, startRedis, type RedisServer } from '@millrace/testkit';
import { expect, test } from 'vitest';
import type { ProducerOptions } from '../../src/index.ts';
import { failure, openVirtualProducer, readPartition, type VirtualProducer } from '../client-fixture.ts';

const KILOBYTE = 'x'.repeat(1_000);

/** A server that is frozen after the record `warm` was stored: what is sent from then on stays in memory. */
async function openFrozen(
  options: ProducerOptions,
): Promise<{ server: RedisServer; virtual: VirtualProducer } & AsyncDisposable> {
  const server = await startRedis();
  const virtual = await openVirtualProducer({ url: server.url, prefix: 'millrace' }, options);
  const store = new RedisTopicStore(virtual.context.command, virtual.context.keys);
  await store.create('orders', 1);
  await store.create('other', 1);
  await virtual.producer.send('orders', { value: 'warm' });
  await virtual.producer.send('other', { value: 'warm' });
  await server.signal('SIGSTOP');
  return {
    server,
    virtual,
    async [Symbol.asyncDispose]() {
      await server.signal('SIGCONT');
      await virtual[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

function outcomeOf(promise: Promise<unknown>): () => string {
  let outcome = 'pending';
  promise.then(
    () => (outcome = 'stored'),
    (error: { code: string }) => (outcome = error.code),
  );
  return () => outcome;
}

test('sends beyond the buffer wait, and then fail one by one as their time is over', async () => {
  await using frozen = await openFrozen({ maxBufferedBytes: 2_500, deliveryTimeoutMs: 300_000 });
  const { producer, clock } = frozen.virtual;
  const buffered = [0, 1, 2].map(() => producer.send('orders', { value: KILOBYTE }));
  const early = outcomeOf(producer.send('orders', { value: KILOBYTE }));
  await clock.advance(40_000);
  const late = outcomeOf(producer.send('orders', { value: KILOBYTE }));
  await clock.advance(19_999);
  expect([early(), late()]).toEqual(['pending', 'pending']);
  await clock.advance(1);
  expect([early(), late()]).toEqual(['BUFFER_FULL', 'pending']);
  await frozen.server.signal('SIGCONT');
  await Promise.all(buffered);
  await eventually(() => late() === 'stored');
});

test('the error says what to look at', async () => {
  await using frozen = await openFrozen({ maxBufferedBytes: 1, maxBlockMs: 5_000 });
  const { producer, clock } = frozen.virtual;
  void producer.send('orders', { value: 'fills the buffer' });
  const blocked = failure(producer.send('orders', { value: 'hunter2' }));
  await clock.advance(5_000);
  const error = await blocked;
  expect(error).toMatchObject({
    name: 'UnavailableError',
    code: 'BUFFER_FULL',
    message: expect.stringMatching(/within 5000 ms: \d+ bytes wait .* maxBufferedBytes is 1;/),
  });
  expect(inspect(error, { depth: 5 })).not.toContain('hunter2');
});

test('one call that is larger than the buffer goes through piece by piece, in order', async () => {
  await using frozen = await openFrozen({ maxBufferedBytes: 10_000, maxBatchBytes: 2_000 });
  const { virtual, server } = frozen;
  const values = Array.from({ length: 200 }, (_, index) => `${index} ${KILOBYTE}`);
  const sending = virtual.producer.sendBatch(
    'orders',
    values.map((value) => ({ value })),
  );
  const behind = virtual.producer.send('orders', { value: 'behind' });
  const aside = virtual.producer.send('other', { value: 'aside' });
  await server.signal('SIGCONT');
  const ranges = await sending;
  expect(ranges.reduce((sum, { count }) => sum + count, 0)).toBe(200);
  expect(await behind).toMatchObject({ offset: 201 });
  expect(await aside).toMatchObject({ offset: 1 });
  const { records } = await readPartition(virtual.context.command, 'millrace', 'orders', 0);
  expect(records.map(({ value }) => value)).toEqual(['warm', ...values, 'behind']);
});

test('a call that gets stuck half-way tells how much of it was stored', async () => {
  await using frozen = await openFrozen({
    maxBufferedBytes: 4_500,
    maxBlockMs: 5_000,
    deliveryTimeoutMs: 300_000,
  });
  const { virtual, server } = frozen;
  const sending = virtual.producer.sendBatch(
    'orders',
    Array.from({ length: 20 }, () => ({ value: KILOBYTE })),
  );
  const refused = failure(sending);
  await virtual.clock.advance(5_000);
  await server.signal('SIGCONT');
  expect(await refused).toMatchObject({ code: 'BUFFER_FULL', details: { delivered: 5, records: 20 } });
});

test('progress counts: a long call does not fail while it moves', async () => {
  await using frozen = await openFrozen({
    maxBufferedBytes: 1,
    maxBlockMs: 5_000,
    deliveryTimeoutMs: 300_000,
  });
  const { virtual, server } = frozen;
  await server.signal('SIGCONT');
  const sending = virtual.producer.sendBatch(
    'orders',
    Array.from({ length: 40 }, () => ({ value: KILOBYTE })),
  );
  for (let step = 0; step < 20; step++) {
    const before = await virtual.context.command.hget(
      virtual.context.keys.partition('orders', 0).state,
      'end',
    );
    await eventually(async () => {
      const end = await virtual.context.command.hget(
        virtual.context.keys.partition('orders', 0).state,
        'end',
      );
      return Number(end) === 41 || Number(end) > Number(before);
    });
    await virtual.clock.advance(1_000);
  }
  expect(await sending).not.toEqual([]);
});

test('an unreachable Redis is named when the topic cannot be looked up in time', async () => {
  await using server = await startRedis();
  await using virtual = await openVirtualProducer(
    { url: server.url, prefix: 'millrace' },
    { maxBlockMs: 2_000 },
  );
  await server.signal('SIGKILL');
  await eventually(() => virtual.context.command.status !== 'ready');
  const refused = failure(virtual.producer.send('orders', { value: 'v' }));
  await virtual.clock.advance(2_000);
  expect(await refused).toMatchObject({
    code: 'REDIS_UNREACHABLE',
    message: expect.stringContaining('sending to topic "orders" could not begin within 2000 ms'),
  });
});

test('the buffer is given back whatever becomes of the records', async () => {
  await using frozen = await openFrozen({ maxBufferedBytes: 2_500, deliveryTimeoutMs: 1_000 });
  const { virtual, server } = frozen;
  const failed = Promise.allSettled(
    [0, 1, 2].map(() => virtual.producer.send('orders', { value: KILOBYTE })),
  );
  await virtual.clock.advance(1_000);
  expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  const next = [0, 1, 2].map(() => virtual.producer.send('other', { value: KILOBYTE }));
  await server.signal('SIGCONT');
  expect(await Promise.all(next)).toHaveLength(3);
});

test('what a full topic holds back of the buffer leaves the rest of it to the others', async () => {
  await using server = await startRedis();
  await using virtual = await openVirtualProducer(
    { url: server.url, prefix: 'millrace' },
    { maxBufferedBytes: 100_000, deliveryTimeoutMs: 300_000 },
  );
  const { producer, clock, context } = virtual;
  const store = new RedisTopicStore(context.command, context.keys);
  await store.create('full', 1, { maxRecords: 1, onFull: 'refuse' });
  await store.create('other', 1);
  await producer.send('full', { value: 'warm' });
  await producer.send('other', { value: 'warm' });
  const stuck = producer.sendBatch(
    'full',
    Array.from({ length: 98 }, () => ({ value: KILOBYTE })),
  );
  const sending = Promise.all(Array.from({ length: 20 }, () => producer.send('other', { value: KILOBYTE })));
  const others = outcomeOf(sending);
  await eventually(async () => {
    await clock.advance(20);
    return others() === 'stored';
  });
  await store.setLimits('full', {});
  const late = outcomeOf(stuck);
  await eventually(async () => {
    await clock.advance(1_000);
    return late() === 'stored';
  });
});
