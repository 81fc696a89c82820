import { createKeys, recordCount, type RedisConnection } from '@millrace/redis';
import { expect, describe } from 'vitest';
import { readPartition, test } from '../client-fixture.ts';
import { test as stageTest, type Stage } from '../consumer/consumer-fixture.ts';

const TOPIC = 'orders';
const ATTRIBUTES_AT = 5;

/** As orders are: much the same again and again. */
function order(index: number): string {
  return JSON.stringify({ id: index, amount: (index * 7_919) % 1_000, currency: 'EUR', status: 'paid' });
}

function orders(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => order(from + index));
}

/** Of each stored batch: its codec, and its records. */
async function storedBatches(
  redis: RedisConnection,
  prefix: string,
  partition: number,
): Promise<{ codec: number | undefined; records: number; bytes: number }[]> {
  const entries = await redis.xrangeBuffer(createKeys(prefix).partition(TOPIC, partition).log, '-', '+');
  return entries.map(([, fields]) => {
    const batch = fields[3] ?? Buffer.alloc(0);
    return { codec: batch[ATTRIBUTES_AT], records: recordCount(batch), bytes: batch.length };
  });
}

describe('what is sent with compression', () => {
  test('is stored compressed above compressionMinBytes, and comes back as it was', async ({
    redis,
    ioredis,
    millrace,
  }) => {
    await millrace.admin.createTopic(TOPIC, { partitions: 1 });
    await using producer = millrace.producer({ compression: 'zstd' });
    const sent = orders(1_000);
    const plainBytes = sent.join('').length;
    await producer.sendBatch(
      TOPIC,
      sent.map((value, index) => ({ key: `${index % 7}`, value, headers: { at: `${index}` } })),
    );
    await producer.send(TOPIC, { value: 'a small one' });
    const stored = await storedBatches(ioredis, redis.prefix, 0);
    expect(stored).toMatchObject([
      { codec: 1, records: 1_000 },
      { codec: 0, records: 1 },
    ]);
    expect(stored[0]?.bytes).toBeLessThan(plainBytes * 0.3);
    const { records } = await readPartition(ioredis, redis.prefix, TOPIC, 0);
    expect(
      records.map(({ offset, key, value, record }) => [offset, key, value, String(record.headers['at'])]),
    ).toEqual([
      ...sent.map((value, index) => [index, `${index % 7}`, value, `${index}`]),
      [1_000, null, 'a small one', 'undefined'],
    ]);
  });

  test('is limited by its size before compression', async ({ redis, ioredis, millrace }) => {
    await millrace.admin.createTopic(TOPIC, { partitions: 1 });
    await using producer = millrace.producer({ compression: 'zstd', maxBatchBytes: 10_000 });
    await producer.sendBatch(
      TOPIC,
      Array.from({ length: 20 }, () => ({ value: 'x'.repeat(1_000) })),
    );
    const stored = await storedBatches(ioredis, redis.prefix, 0);
    expect(stored.map(({ codec, records }) => [codec, records])).toEqual([
      [1, 9],
      [1, 9],
      [1, 2],
    ]);
  });

  test('finds its new partitions when the topic was created anew with fewer', async ({
    redis,
    ioredis,
    millrace,
  }) => {
    await millrace.admin.createTopic(TOPIC, { partitions: 16 });
    await using producer = millrace.producer({ compression: 'zstd', compressionMinBytes: 0 });
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => producer.send(TOPIC, { key, value: 'old' })));
    await millrace.admin.deleteTopic(TOPIC);
    await millrace.admin.createTopic(TOPIC, { partitions: 1 });
    const rounds = Array.from({ length: 10 }, (_, round) => round);
    const sent = rounds.flatMap((round) => keys.map((key) => ({ key, value: `${round}`.repeat(100) })));
    await producer.sendBatch(TOPIC, sent);
    const stored = await storedBatches(ioredis, redis.prefix, 0);
    expect(stored.every(({ codec }) => codec === 1)).toBe(true);
    const { records } = await readPartition(ioredis, redis.prefix, TOPIC, 0);
    expect(records).toHaveLength(sent.length);
    for (const key of keys) {
      const ofKey = records.filter((record) => record.key === key).map(({ value }) => value?.[0]);
      expect(ofKey).toEqual(rounds.map(String));
    }
  });
});

describe('a partition with compressed and plain batches', () => {
  /** Batches of 50 orders by two producers in turn. */
  async function sendMixed(stage: Stage, batches: number): Promise<string[]> {
    const [zstd, none] = [stage.millrace.producer({ compression: 'zstd' }), stage.millrace.producer()];
    const sent: string[] = [];
    for (let batch = 0; batch < batches; batch++) {
      const part = orders(50, batch * 50);
      const producer = batch % 2 === 0 ? zstd : none;
      await producer.sendBatch(
        TOPIC,
        part.map((value) => ({ partition: 0, value })),
      );
      sent.push(...part);
    }
    await Promise.all([zstd.close(), none.close()]);
    return sent;
  }

  stageTest('is read in order, and resumed inside', async ({ stage, ioredis }) => {
    await stage.createTopic(1);
    const sent = await sendMixed(stage, 6);
    const stored = await storedBatches(ioredis, stage.prefix, 0);
    expect(stored.map(({ codec }) => codec)).toEqual([1, 0, 1, 0, 1, 0]);
    const worker = await stage.worker({}, ({ record }) => {
      // Inside a compressed batch, so that its heir begins there.
      if (record.offset === 220) throw new Error('enough for now');
    });
    await stage.untilCommitted(0, 220);
    await worker.close();
    const heir = await stage.worker();
    await stage.untilCommitted(0, 300);
    expect(heir.delivered[0]?.offset).toBe(220);
    expect([...worker.handled, ...heir.handled].map(({ value }) => value)).toEqual(sent);
    expect([heir.codes, heir.told.logTruncated]).toEqual([[], []]);
  });

  stageTest('is read by eachBatch', async ({ stage }) => {
    await stage.createTopic(1);
    const sent = await sendMixed(stage, 4);
    const seen: (string | null)[] = [];
    await stage.run({
      eachBatch: ({ batch }) => {
        for (const record of batch.records) seen.push(record.text());
      },
    });
    await stage.untilCommitted(0, 200);
    expect(seen).toEqual(sent);
  });
});
