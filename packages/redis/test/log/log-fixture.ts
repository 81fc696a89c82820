/** A partition to write to, and the smallest producer: what the tests of the log share. */
import {
  createKeys,
  encodeBatch,
  openReader,
  RedisLog,
  RedisTopicStore,
  type AppendRequest,
  type ReaderConnection,
  type RecordInput,
} from '@millrace/redis';
import { test as redisTest } from '@millrace/testkit/vitest';
import type { Redis } from 'ioredis';

export interface LogFixture {
  readonly ioredis: Redis;
  /** As consumers read. */
  readonly reader: ReaderConnection;
  readonly keys: ReturnType<typeof createKeys>;
  readonly log: RedisLog;
  readonly topics: RedisTopicStore;
  /** Appends records with these values as the next batch of the producer `writer`, to partition 0 of `orders`. */
  append(...values: readonly string[]): Promise<{ baseOffset: number; appendedMs: number }>;
}

/** Gives a topic `orders` with one partition; deletes every key that is left. */
export const test = redisTest.extend<{ logs: LogFixture }>({
  logs: async ({ redis, ioredis }, use) => {
    const keys = createKeys(redis.prefix);
    const log = new RedisLog(ioredis, keys);
    const topics = new RedisTopicStore(ioredis, keys);
    await topics.create('orders', 1);
    const config = { url: redis.url, connectTimeoutMs: 5_000 };
    const reader = await openReader(config, keys, `${redis.prefix}:reader`);
    let sequence = 0;
    await use({
      ioredis,
      reader,
      keys,
      log,
      topics,
      async append(...values) {
        const result = await log.append(appendRequest({ producerId: 'writer', sequence, values }));
        if (result.status !== 'APPENDED') throw new Error(`not appended: ${result.status}`);
        sequence += values.length;
        return result;
      },
    });
    await reader.close();
    await redis.clear();
  },
});

export interface AppendOverrides extends Partial<Omit<AppendRequest, 'batch' | 'recordCount'>> {
  readonly values?: readonly string[];
}

export function appendRequest({ values = ['a'], ...overrides }: AppendOverrides = {}): AppendRequest {
  return {
    topic: 'orders',
    partition: 0,
    producerId: 'producer-1',
    producerEpoch: 0,
    sequence: 0,
    recordCount: values.length,
    batch: encodeBatch(values.map(recordOf)),
    ...overrides,
  };
}

export function recordOf(value: string): RecordInput {
  return { value, timestampMs: 1_700_000_000_000 };
}
