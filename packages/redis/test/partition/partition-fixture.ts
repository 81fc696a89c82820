/** One partition whose log is as a test says, on a real Redis: what the tests of the ownership scripts share. */
import type { AcquireRequest, AcquireResult, Fence } from '@millrace/core';
import {
  closeConnection,
  createKeys,
  openConnection,
  RedisPartitionStore,
  type PartitionKeys,
  type RedisConnection,
} from '@millrace/redis';
import { test as redisTest } from '@millrace/testkit/vitest';

export type Acquired = Extract<AcquireResult, { status: 'ACQUIRED' }>;

export interface PartitionFixture {
  readonly redis: RedisConnection;
  readonly keys: PartitionKeys;
  readonly store: RedisPartitionStore;
  /** Says what the log holds, as appending and trimming would leave it. */
  setLog(log: { readonly start?: number; readonly end: number }): Promise<void>;
  /** Acquires, and gives the fence of it too; throws when it is refused. */
  own(memberId: string, overrides?: Partial<AcquireRequest>): Promise<{ result: Acquired; fence: Fence }>;
  /** What the group's hash of the partition holds. */
  stored(): Promise<Record<string, string>>;
  /** What an acquire tells of the server. */
  readonly server: string;
  /** Time of the server, ms. */
  timeMs(): Promise<number>;
}

export const GROUP = 'billing';

/** `orders/0`, with a log of 100 records. */
export const test = redisTest.extend<{ partition: PartitionFixture }>({
  partition: async ({ redis: server }, use) => {
    const config = { url: server.url, connectTimeoutMs: 5000 };
    const redis = await openConnection(config, 'command', `${server.prefix}:test`);
    const catalogue = createKeys(server.prefix);
    const keys = catalogue.partition('orders', 0);
    const store = new RedisPartitionStore(redis, catalogue);
    const setLog: PartitionFixture['setLog'] = async ({ start = 0, end }) => {
      await redis.hset(keys.state, { start, end, incarnation: '1-x' });
    };
    await setLog({ end: 100 });
    await use({
      redis,
      server: /master_replid:(\w+)/.exec(await redis.info('replication'))?.[1] ?? '',
      keys,
      store,
      setLog,
      own: async (memberId, overrides) => {
        const request = acquireRequest(memberId, overrides);
        const result = await store.acquire(request);
        if (result.status !== 'ACQUIRED') throw new Error(`${memberId} did not acquire: ${result.status}`);
        return { result, fence: fenceOf(request, result) };
      },
      stored: () => redis.hgetall(keys.group(GROUP)),
      timeMs: async () => {
        const [seconds, microseconds] = await redis.time();
        return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
      },
    });
    await closeConnection(redis);
    await server.clear();
  },
});

export function acquireRequest(memberId: string, overrides: Partial<AcquireRequest> = {}): AcquireRequest {
  return {
    topic: 'orders',
    partition: 0,
    group: GROUP,
    memberId,
    nonce: `nonce-of-${memberId}`,
    claim: 1,
    offsetReset: 'earliest',
    ...overrides,
  };
}

export function fenceOf(
  request: AcquireRequest,
  { epoch, server }: Pick<Acquired, 'epoch' | 'server'>,
): Fence {
  const { topic, partition, group, nonce } = request;
  return { topic, partition, group, epoch, nonce, server };
}
