/**
 * Connections break over and over while appends are in flight. What must hold: every send is acknowledged, every record
 * is stored exactly once, where its acknowledgement says, and in the order in which each caller sent.
 */
import type { RedisConnection } from '@millrace/redis';
import { expect } from 'vitest';
import { connect, type Millrace, type Producer, type RecordMetadata } from '../../src/index.ts';
import { readPartition, test } from '../client-fixture.ts';
import { startReplyDroppingProxy } from '../reply-dropping-proxy.ts';

const PARTITIONS = 3;
const SENDERS = 6;

interface Sent {
  readonly value: string;
  readonly metadata: RecordMetadata;
}

/** Six callers send, one record at a time or seven without waiting in between, until `isOver`. */
async function sendUntil(isOver: () => boolean, producer: Producer): Promise<Sent[]> {
  const callers = Array.from({ length: SENDERS }, async (_, sender) => {
    const sent: Sent[] = [];
    for (let round = 0; !isOver(); round++) {
      const values = Array.from(
        { length: sender % 2 === 0 ? 1 : 7 },
        (_item, index) => `${sender}:${round}:${index}`,
      );
      const metadata = await Promise.all(
        values.map((value) => producer.send('orders', { partition: sender % PARTITIONS, value })),
      );
      sent.push(...metadata.map((own, index) => ({ value: values[index] ?? '', metadata: own })));
    }
    return sent;
  });
  return (await Promise.all(callers)).flat();
}

async function verifyStored(redis: RedisConnection, prefix: string, sent: readonly Sent[]): Promise<void> {
  const partitions = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) => readPartition(redis, prefix, 'orders', partition)),
  );
  const stored = partitions.flatMap(({ records }, partition) =>
    records.map(({ offset, value }) => `${value} at ${partition}/${offset}`),
  );
  const acknowledged = sent.map(
    ({ value, metadata }) => `${value} at ${metadata.partition}/${metadata.offset}`,
  );
  expect(stored.toSorted()).toEqual(acknowledged.toSorted());
  for (const { records } of partitions) {
    const bySender = Map.groupBy(records, ({ value }) => value?.split(':')[0]);
    for (const own of bySender.values()) {
      const order = own.map(({ value }) => sendingOrder(value));
      expect(order).toEqual(order.toSorted((one, other) => one - other));
    }
  }
}

/** A number that rises with every record of one sender. */
function sendingOrder(value: string | null): number {
  const [, round = NaN, index = NaN] = value?.split(':').map(Number) ?? [];
  return round * 10 + index;
}

/** Kills the connection of that name as soon as it is there, until it has died so many times. */
async function killRepeatedly(admin: RedisConnection, name: string, times: number): Promise<void> {
  for (let kills = 0; kills < times;) {
    const clients = String(await admin.client('LIST'));
    const line = clients.split('\n').find((client) => client.includes(` name=${name} `));
    const id = /^id=(\d+)/.exec(line ?? '')?.[1];
    if (id !== undefined) kills += Number(await admin.client('KILL', 'ID', id));
  }
}

async function createOrders(millrace: Millrace): Promise<void> {
  await millrace.admin.createTopic('orders', { partitions: PARTITIONS });
}

test('connections that are killed in the middle of appends lose, repeat and reorder nothing', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await createOrders(millrace);
  await using client = await connect({ url: redis.url, prefix: redis.prefix, name: 'victim' });
  let isOver = false;
  const sending = sendUntil(() => isOver, client.producer());
  await killRepeatedly(ioredis, `${redis.prefix}:victim:command`, 30);
  isOver = true;
  await verifyStored(ioredis, redis.prefix, await sending);
});

test('appends whose replies are lost are not stored twice', async ({ redis, ioredis, millrace }) => {
  await createOrders(millrace);
  await using proxy = await startReplyDroppingProxy(redis.url, 6);
  await using client = await connect({ url: proxy.url, prefix: redis.prefix, name: 'victim' });
  const sent = await sendUntil(() => proxy.dropped >= 20, client.producer());
  await verifyStored(ioredis, redis.prefix, sent);
});

test('sendBatch through lost replies stores each record once, in order', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await createOrders(millrace);
  await using proxy = await startReplyDroppingProxy(redis.url, 5);
  await using client = await connect({ url: proxy.url, prefix: redis.prefix, name: 'victim' });
  const producer = client.producer({ maxBatchRecords: 50 });
  const values = Array.from({ length: 3_000 }, (_, index) => `0:${index}:0`);
  const ranges = await producer.sendBatch(
    'orders',
    values.map((value) => ({ value, partition: 1 })),
  );
  const { records } = await readPartition(ioredis, redis.prefix, 'orders', 1);
  expect(records.map(({ value }) => value)).toEqual(values);
  expect(ranges.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
  expect(proxy.dropped).toBeGreaterThan(0);
});
