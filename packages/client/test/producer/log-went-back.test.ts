/** A failover that loses acknowledged records: the producer is told, whether it sends or not. */
import { partitionKey } from '@millrace/core';
import {
  BatchEncoder,
  closeConnection,
  createKeys,
  fingerprintOf,
  openConnection,
  RedisLog,
  RedisPartitionStore,
} from '@millrace/redis';
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { connect, type Millrace, type Producer, type ProducerLogTruncatedEvent } from '../../src/index.ts';
import { AcknowledgedTrails } from '../../src/producer/acknowledged-trails.ts';
import { failure } from '../client-fixture.ts';
import { test, type FailoverPair } from '../failover-pair.ts';

const TOPIC = 'orders';

interface Scene extends AsyncDisposable {
  readonly producer: Producer;
  readonly told: ProducerLogTruncatedEvent[];
  send(...values: string[]): Promise<void>;
}

/** A producer that both servers have three records of, and the first one alone two more. */
async function begin(pair: FailoverPair, options: Parameters<Millrace['producer']>[0] = {}): Promise<Scene> {
  const client = await connect({ url: pair.url, prefix: 'pair', logger: false });
  await client.admin.createTopic(TOPIC, { partitions: 2 });
  const producer = client.producer(options);
  const told: ProducerLogTruncatedEvent[] = [];
  producer.on('logTruncated', (event) => told.push(event));
  const send = async (...values: string[]): Promise<void> => {
    for (const value of values) await producer.send(TOPIC, { partition: 0, value });
  };
  await send('a', 'b', 'c');
  await producer.send(TOPIC, { partition: 1, value: 'kept' });
  await pair.cutLink();
  await send('lost 1', 'lost 2');
  return { producer, told, send, [Symbol.asyncDispose]: () => client.close() };
}

/** What others have written at the second server in the meantime. */
async function write(pair: FailoverPair, count: number): Promise<void> {
  await using client = await connect({ url: pair.secondUrl, prefix: 'pair', logger: false });
  const records = Array.from({ length: count }, (_, index) => ({ partition: 0, value: `other ${index}` }));
  await client.producer().sendBatch(TOPIC, records);
}

const lost = { topic: TOPIC, partition: 0, from: 3, to: 5, lost: 2, policy: 'resume' };

describe('a producer whose acknowledged records are gone', () => {
  test('is told at the reconnect when it sends nothing', async ({ pair }) => {
    await using scene = await begin(pair);
    pair.failOver();
    await eventually(() => scene.told.length > 0, { what: 'a report' });
    expect(scene.told).toEqual([lost]);
    await scene.send('next');
    expect(scene.told).toEqual([lost]);
  });

  test('is told when others have written in their place, and knows what it has sent since', async ({
    pair,
  }) => {
    await using scene = await begin(pair);
    await write(pair, 10);
    pair.failOver();
    await eventually(() => scene.told.length > 0, { what: 'a report' });
    expect(scene.told).toEqual([lost]);
    expect(await scene.producer.send(TOPIC, { partition: 0, value: 'next' })).toMatchObject({ offset: 13 });
    expect(scene.told).toHaveLength(1);
  });

  test('is told although its next record begins an epoch that fits any log', async ({ pair }) => {
    await using scene = await begin(pair, { producerId: 'shop' });
    await using other = await connect({ url: pair.secondUrl, prefix: 'pair', logger: false });
    // What is known of the producer is gone as well: its next batch is taken for that of a new one.
    pair.failOver();
    await other.producer().send(TOPIC, { partition: 1, value: 'v' });
    await eventually(() => scene.send('next').then(() => scene.told.length > 0), { what: 'a report' });
    expect(scene.told).toEqual([lost]);
  });

  test('has the next record rejected where nobody listens, once', async ({ pair }) => {
    await using scene = await begin(pair);
    await using client = await connect({ url: pair.url, prefix: 'pair', logger: false });
    const deaf = client.producer();
    await deaf.send(TOPIC, { partition: 0, value: 'lost, too' });
    pair.failOver();
    await eventually(() => scene.told.length > 0, { what: 'a report' });
    // Until it has noticed by itself, its records are stored as ever.
    const rejections: unknown[] = [];
    await eventually(async () => {
      await deaf
        .send(TOPIC, { partition: 0, value: 'sent' })
        .catch((error: unknown) => rejections.push(error));
      return rejections.length > 0;
    });
    expect(rejections).toMatchObject([
      { name: 'DataError', code: 'LOG_TRUNCATED', details: { partition: 0, lost: 1 } },
    ]);
    const { offset } = await deaf.send(TOPIC, { partition: 0, value: 'stored' });
    expect(await deaf.send(TOPIC, { partition: 0, value: 'stored' })).toMatchObject({ offset: offset + 1 });
  });

  test('sends nothing there any more where its policy says so', async ({ pair }) => {
    await using scene = await begin(pair, { onLogTruncated: 'fail' });
    pair.failOver();
    await eventually(() => scene.told.length > 0, { what: 'a report' });
    expect(scene.told).toEqual([{ ...lost, policy: 'fail' }]);
    for (const value of ['x', 'y']) {
      expect(await failure(scene.send(value))).toMatchObject({ code: 'LOG_TRUNCATED' });
    }
    expect(await scene.producer.send(TOPIC, { partition: 1, value: 'elsewhere' })).toMatchObject({
      offset: 1,
    });
  });
});

test('a failover that lost nothing is no report', async ({ pair }) => {
  await using client = await connect({ url: pair.url, prefix: 'pair', logger: false });
  await client.admin.createTopic(TOPIC, { partitions: 1 });
  const told: ProducerLogTruncatedEvent[] = [];
  const producer = client.producer().on('logTruncated', (event) => told.push(event));
  for (const value of ['a', 'b', 'c']) await producer.send(TOPIC, { value });
  await pair.cutLink();
  pair.failOver();
  await eventually(async () => (await producer.send(TOPIC, { value: 'next' })).offset >= 3);
  await producer.send(TOPIC, { value: 'after' });
  expect(told).toEqual([]);
});

test('a topic that was created anew is another one: what it held is not lost, and what it holds is remembered', async ({
  pair,
}) => {
  await using client = await connect({ url: pair.url, prefix: 'pair', logger: false });
  const told: ProducerLogTruncatedEvent[] = [];
  const producer = client.producer().on('logTruncated', (event) => told.push(event));
  await client.admin.createTopic(TOPIC, { partitions: 1 });
  for (const value of ['a', 'b', 'c']) await producer.send(TOPIC, { value });
  await client.admin.deleteTopic(TOPIC);
  await client.admin.createTopic(TOPIC, { partitions: 1 });
  await producer.send(TOPIC, { value: 'of the new one' });
  await pair.cutLink();
  await producer.send(TOPIC, { value: 'lost' });
  pair.failOver();
  await eventually(() => told.length > 0, { what: 'a report' });
  expect(told).toEqual([{ ...lost, from: 1, to: 2, lost: 1 }]);
});

test('what the next server has stored does not hide what the one before has lost', async ({ pair }) => {
  await using client = await connect({ url: pair.url, prefix: 'pair', logger: false });
  await client.admin.createTopic(TOPIC, { partitions: 1 });
  const told: ProducerLogTruncatedEvent[] = [];
  const redis = await openConnection({ url: pair.url, connectTimeoutMs: 5_000 }, 'command', 'trails');
  await using opened = new AsyncDisposableStack();
  opened.defer(() => closeConnection(redis));
  const keys = createKeys('pair');
  const trails = new AcknowledgedTrails(
    {
      clock: systemClock,
      partitions: new RedisPartitionStore(redis, keys),
      onTruncated: (event) => told.push(event) > 0,
      onTransportFailure: () => {},
    },
    'resume',
  );
  opened.defer(() => trails.close());
  const append = async (value: string): Promise<void> => {
    const encoder = new BatchEncoder();
    encoder.append({ key: null, value, headers: {}, timestampMs: 0 }, 1_024);
    const bytes = encoder.finish();
    const place = { topic: TOPIC, partition: 0 };
    const request = {
      ...place,
      producerId: value,
      producerEpoch: 0,
      sequence: 0,
      recordCount: 1,
      batch: bytes,
    };
    const result = await new RedisLog(redis, keys).append(request);
    if (result.status !== 'APPENDED') throw new Error(result.status);
    const { baseOffset, appendedMs } = result;
    const nextOffset = baseOffset + 1;
    const fingerprint = fingerprintOf({ partition: partitionKey(TOPIC, 0), nextOffset, appendedMs, bytes });
    trails.of(TOPIC, 0).add({ baseOffset, nextOffset, fingerprint }, result);
  };
  await append('kept');
  await pair.cutLink();
  for (const value of ['lost 1', 'lost 2']) await append(value);
  pair.failOver();
  await eventually(() => append('stored by the next').then(() => true));
  // The reconnect is noticed after the answer: the check that this one has begun is still under way.
  trails.suspect(() => true);
  await eventually(() => told.length > 0, { what: 'a report' });
  expect(told).toEqual([{ ...lost, from: 1, to: 3, lost: 2 }]);
});
