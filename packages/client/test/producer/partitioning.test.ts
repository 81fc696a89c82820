import { defaultPartitioner } from '@millrace/core';
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { openVirtualProducer, readPartition, test } from '../client-fixture.ts';

const keys = Array.from({ length: 40 }, (_, index) => `kéy-${index}`);

function placeOf(key: string, partitions: number): number {
  return defaultPartitioner({ topic: 'orders', key: Buffer.from(key), partitions });
}

/** Of 16 partitions, it is on one that is gone when there are two. */
const isSoonGone = (key: string): boolean => placeOf(key, 16) >= 2;

test('keys go where Kafka puts them, as text and as bytes', async ({ millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 7 });
  await using producer = millrace.producer();
  const byText = await Promise.all(keys.map((key) => producer.send('orders', { key, value: 'v' })));
  const byBytes = await Promise.all(
    keys.map((key) => producer.send('orders', { key: Buffer.from(key), value: 'v' })),
  );
  const expected = keys.map((key) =>
    defaultPartitioner({ topic: 'orders', key: Buffer.from(key), partitions: 7 }),
  );
  expect(byText.map(({ partition }) => partition)).toEqual(expected);
  expect(byBytes.map(({ partition }) => partition)).toEqual(expected);
});

test('a partitioner of the user is asked, and checked', async ({ millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 4 });
  await using last = millrace.producer({ partitioner: ({ partitions }) => partitions - 1 });
  expect(await last.send('orders', { key: 'k', value: 'v' })).toMatchObject({ partition: 3 });
  await using wrong = millrace.producer({ partitioner: ({ partitions }) => partitions });
  await expect(wrong.send('orders', { key: 'k', value: 'v' })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining(
      'the partitioner gave 4 for topic "orders", which has partitions 0 to 3',
    ),
  });
  await using failing = millrace.producer({
    partitioner: () => {
      throw new TypeError('oops');
    },
  });
  await expect(failing.send('orders', { key: 'k', value: 'v' })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: 'the partitioner failed for topic "orders"',
    cause: { name: 'TypeError' },
  });
});

test('an explicit partition wins over key and partitioner', async ({ millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 4 });
  await using producer = millrace.producer({ partitioner: () => 0 });
  expect(await producer.send('orders', { key: 'k', partition: 2, value: 'v' })).toMatchObject({
    partition: 2,
  });
});

test('a call keeps its order within each partition, wherever its records may go and with little room', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 16 });
  await using producer = millrace.producer({
    maxBufferedBytes: 20_000,
    maxBatchBytes: 2_000,
    partitioner: ({ key, partitions }) => Number(Buffer.from(key).toString()) % partitions,
  });
  const records = Array.from({ length: 5_000 }, (_, index) => {
    const value = `${index} ${'x'.repeat(index % 50)}`;
    if (index % 7 === 0) return { value };
    if (index % 3 === 0) return { value, partition: index % 16 };
    return { value, key: String(index), ...(index % 11 === 0 && { headers: { name: 'h' } }) };
  });
  const ranges = await Promise.all([
    producer.sendBatch('orders', records.slice(0, 2_000)),
    producer.sendBatch('orders', records.slice(2_000)),
  ]);
  expect(ranges.flat().reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
  const stored: number[] = [];
  for (let partition = 0; partition < 16; partition++) {
    const { records: found } = await readPartition(ioredis, redis.prefix, 'orders', partition);
    const numbers = found.map(({ value }) => Number.parseInt(String(value), 10));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.filter((index) => index % 7 !== 0 && index % 16 !== partition)).toEqual([]);
    stored.push(...numbers);
  }
  expect(stored.toSorted((a, b) => a - b)).toEqual(records.map((_, index) => index));
});

test('a partitioner may send records itself', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 3 });
  const inner: Promise<unknown>[] = [];
  await using producer = millrace.producer({
    partitioner: ({ key }) => {
      const place = Number(Buffer.from(key).toString());
      const aside = { value: `aside of ${place}`, partition: 2 };
      inner.push(producer.sendBatch('orders', [aside, aside]));
      return place;
    },
  });
  await producer.send('orders', { value: 'warm', partition: 0 });
  const outer = ['0', '1', '0', '1'].map((key) => ({ key, value: `of ${key}` }));
  await producer.sendBatch('orders', outer);
  await Promise.all(inner);
  const valuesOf = async (partition: number): Promise<unknown[]> =>
    (await readPartition(ioredis, redis.prefix, 'orders', partition)).records.map(({ value }) => value);
  expect(await valuesOf(0)).toEqual(['warm', 'of 0', 'of 0']);
  expect(await valuesOf(1)).toEqual(['of 1', 'of 1']);
  expect(await valuesOf(2)).toHaveLength(8);
});

test('keys that answer otherwise each time they are asked are stored all the same', async ({ millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 4 });
  await using producer = millrace.producer();
  // The number of partitions is known from here on.
  await producer.send('orders', { value: 'v' });
  let asked = 0;
  const records = Array.from({ length: 20 }, () => ({
    get key() {
      return asked++ % 2 === 0 ? 'key' : null;
    },
    value: 'v',
  }));
  const ranges = await producer.sendBatch('orders', records);
  expect(ranges.reduce((sum, { count }) => sum + count, 0)).toBe(20);
});

test('an unknown topic is refused with what to do, and never created', async ({ millrace }) => {
  await using producer = millrace.producer();
  await expect(producer.send('odrers', { value: 'v' })).rejects.toMatchObject({
    name: 'ConfigError',
    code: 'UNKNOWN_TOPIC',
    message: 'there is no topic "odrers": create it with admin.createTopic("odrers", { partitions: 8 })',
  });
  expect(await millrace.admin.listTopics()).toEqual([]);
  await millrace.admin.createTopic('odrers', { partitions: 1 });
  expect(await producer.send('odrers', { value: 'v' })).toMatchObject({ offset: 0 });
});

test('a partition that does not exist is refused; one that was added since is found', async ({
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 2 });
  await using producer = millrace.producer();
  await expect(producer.send('orders', { partition: 2, value: 'v' })).rejects.toMatchObject({
    code: 'UNKNOWN_PARTITION',
    message: 'there is no partition 2 in topic "orders": it has 0 to 1',
  });
  await millrace.admin.addPartitions('orders', 3);
  expect(await producer.send('orders', { partition: 2, value: 'v' })).toMatchObject({
    partition: 2,
    offset: 0,
  });
});

describe('a topic that was created anew with fewer partitions', () => {
  test('takes records with a key at once, in order, by the new number', async ({
    redis,
    ioredis,
    millrace,
  }) => {
    await millrace.admin.createTopic('orders', { partitions: 16 });
    await using producer = millrace.producer();
    await Promise.all(keys.map((key) => producer.send('orders', { key, value: 'old' })));
    await millrace.admin.deleteTopic('orders');
    await millrace.admin.createTopic('orders', { partitions: 2 });
    const rounds = [0, 1, 2, 3];
    const single = rounds.flatMap((round) =>
      keys.map((key) => producer.send('orders', { key, value: `${round}` })),
    );
    const many = producer.sendBatch(
      'orders',
      keys.map((key) => ({ key, value: '4' })),
    );
    const flushed = producer.flush().then(() => 'flushed');
    const places = await Promise.all(single);
    for (const [index, { partition }] of places.entries()) {
      expect(partition).toBe(placeOf(keys[index % keys.length] ?? '', 2));
    }
    expect((await many).reduce((sum, { count }) => sum + count, 0)).toBe(keys.length);
    expect(await flushed).toBe('flushed');
    const stored = await Promise.all(
      [0, 1].map((partition) => readPartition(ioredis, redis.prefix, 'orders', partition)),
    );
    const byKey = Map.groupBy(
      stored.flatMap(({ records }) => records),
      ({ key }) => key,
    );
    for (const key of keys) {
      expect(byKey.get(key)?.map(({ value }) => value)).toEqual(['0', '1', '2', '3', '4']);
    }
  });

  test('lets later calls wait for what is on its way back', async ({ redis, ioredis, millrace }) => {
    await millrace.admin.createTopic('orders', { partitions: 16 });
    await using virtual = await openVirtualProducer(redis, { lingerMs: 1_000, maxBatchRecords: 2 });
    const { producer, clock } = virtual;
    const [first = '', ...others] = keys.filter(isSoonGone);
    const second = others.find((key) => placeOf(key, 16) !== placeOf(first, 16)) ?? '';
    const untilSettled = async (sent: Promise<unknown>): Promise<void> => {
      let isSettled = false;
      const settle = (): void => void (isSettled = true);
      sent.then(settle, settle);
      await eventually(async () => {
        await clock.advance(1_000);
        return isSettled;
      });
      await sent;
    };
    await untilSettled(producer.send('orders', { key: first, value: 'old' }));
    await millrace.admin.deleteTopic('orders');
    await millrace.admin.createTopic('orders', { partitions: 2 });
    const early = producer.send('orders', { key: second, value: 'early' });
    // The third makes the first two a batch, and they tell that there are two partitions left; `early` still lingers.
    const [told] = [0, 1, 2].map((value) => producer.send('orders', { key: first, value: `${value}` }));
    await told;
    const late = producer.send('orders', { key: second, value: 'late' });
    await untilSettled(Promise.all([early, late]));
    const stored = await readPartition(ioredis, redis.prefix, 'orders', placeOf(second, 2));
    const own = stored.records.filter(({ key }) => key === second);
    expect(own.map(({ value }) => value)).toEqual(['early', 'late']);
  });

  test('lets nobody take the room of a record that failed before all others are where they go', async ({
    redis,
    ioredis,
    millrace,
  }) => {
    await millrace.admin.createTopic('orders', { partitions: 16 });
    await using producer = millrace.producer({ maxBatchRecords: 1, maxBufferedBytes: 2_500 });
    const key = keys.find(isSoonGone) ?? '';
    const padding = 'x'.repeat(1_000);
    await producer.send('orders', { key, value: 'old' });
    await millrace.admin.deleteTopic('orders');
    await millrace.admin.createTopic('orders', { partitions: 2 });
    const named = producer.send('orders', { partition: placeOf(key, 16), value: padding });
    // The last of them finds no room.
    const sent = [0, 1, 2].map((value) => producer.send('orders', { key, value: `${value} ${padding}` }));
    await expect(named).rejects.toMatchObject({ code: 'UNKNOWN_PARTITION' });
    await Promise.all(sent);
    const { records } = await readPartition(ioredis, redis.prefix, 'orders', placeOf(key, 2));
    expect(records.map(({ value }) => value?.slice(0, 1))).toEqual(['0', '1', '2']);
  });

  test('refuses a partition that was named and is gone', async ({ millrace }) => {
    await millrace.admin.createTopic('orders', { partitions: 4 });
    await using producer = millrace.producer();
    await producer.send('orders', { partition: 3, value: 'old' });
    await millrace.admin.deleteTopic('orders');
    await millrace.admin.createTopic('orders', { partitions: 2 });
    await expect(producer.send('orders', { partition: 3, value: 'v' })).rejects.toMatchObject({
      code: 'UNKNOWN_PARTITION',
      message: 'there is no partition 3 in topic "orders": it has 0 to 1',
    });
  });

  test('fails what the partitioner does not place there', async ({ millrace }) => {
    await millrace.admin.createTopic('orders', { partitions: 4 });
    await using producer = millrace.producer({ partitioner: () => 3 });
    await producer.send('orders', { key: 'k', value: 'old' });
    await millrace.admin.deleteTopic('orders');
    await millrace.admin.createTopic('orders', { partitions: 2 });
    await expect(producer.send('orders', { key: 'k', value: 'v' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('the partitioner gave 3'),
    });
  });
});

test('a call with one bad partition sends nothing', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using producer = millrace.producer();
  const call = producer.sendBatch('orders', [
    { value: 'a', partition: 0 },
    { value: 'b', partition: 5 },
  ]);
  await expect(call).rejects.toMatchObject({ code: 'UNKNOWN_PARTITION' });
  expect((await readPartition(ioredis, redis.prefix, 'orders', 0)).records).toEqual([]);
});

test('keys use new partitions once the number of partitions is old, without a stop', async ({
  redis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using virtual = await openVirtualProducer(redis);
  const { producer, clock } = virtual;
  await producer.send('orders', { key: 'k', value: 'v' });
  await millrace.admin.addPartitions('orders', 50);
  const send = async (): Promise<number[]> =>
    (await Promise.all(keys.map((key) => producer.send('orders', { key, value: 'v' })))).map(
      ({ partition }) => partition,
    );
  expect(new Set(await send())).toEqual(new Set([0]));
  await clock.advance(30_001);
  await expect.poll(async () => new Set(await send()).size).toBeGreaterThan(10);
});

test('an idle producer asks nothing', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using virtual = await openVirtualProducer(redis);
  await virtual.producer.send('orders', { value: 'v' });
  const { command } = virtual.context;
  const id = await command.client('ID');
  const commandsOf = async (): Promise<string | undefined> =>
    / tot-cmds=\d+| cmd=\S+/.exec(String(await ioredis.client('LIST', 'ID', id)))?.[0];
  const before = await commandsOf();
  await virtual.clock.advance(600_000);
  expect(await commandsOf()).toBe(before);
  expect(virtual.clock.pendingTimers).toBe(0);
});

test('a topic that is deleted and made again is written to as a new one', async ({
  redis,
  ioredis,
  millrace,
}) => {
  await millrace.admin.createTopic('orders', { partitions: 3 });
  await using producer = millrace.producer();
  await producer.sendBatch(
    'orders',
    [0, 1, 2].map((partition) => ({ partition, value: 'old' })),
  );
  await millrace.admin.deleteTopic('orders');
  await expect(producer.send('orders', { partition: 0, value: 'v' })).rejects.toMatchObject({
    code: 'UNKNOWN_TOPIC',
  });
  await millrace.admin.createTopic('orders', { partitions: 2 });
  expect(await producer.send('orders', { partition: 0, value: 'new' })).toMatchObject({ offset: 0 });
  expect(await producer.send('orders', { partition: 1, value: 'new' })).toMatchObject({ offset: 0 });
  await expect(producer.send('orders', { partition: 2, value: 'v' })).rejects.toMatchObject({
    code: 'UNKNOWN_PARTITION',
  });
  expect((await readPartition(ioredis, redis.prefix, 'orders', 0)).records).toMatchObject([{ value: 'new' }]);
});

test('a partition that a failover lost is reported with its repair', async ({ redis, ioredis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 2 });
  await using virtual = await openVirtualProducer(redis);
  await virtual.producer.send('orders', { partition: 1, value: 'v' });
  const { state, log, producers, producerTimes } = virtual.context.keys.partition('orders', 1);
  await ioredis.del(state, log, producers, producerTimes);
  await expect(virtual.producer.send('orders', { partition: 1, value: 'v' })).rejects.toMatchObject({
    code: 'UNKNOWN_PARTITION',
    message: expect.stringContaining('admin.addPartitions("orders", 2)'),
  });
  await millrace.admin.addPartitions('orders', 2);
  expect(await virtual.producer.send('orders', { partition: 1, value: 'v' })).toMatchObject({ offset: 0 });
});
