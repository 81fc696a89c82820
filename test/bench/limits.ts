/**
 * What a limit costs Redis: CPU of the server per append, of a partition without limits, and of one that is at its limit
 * and has to read and trim a batch for each one that comes. `node test/bench/limits.ts [appends]`
 */
import {
  closeConnection,
  createKeys,
  encodeBatch,
  openConnection,
  RedisLog,
  RedisTopicStore,
} from '@millrace/redis';
import { startRedis } from '@millrace/testkit';
import { median } from './median.ts';

const APPENDS = Number(process.argv[2] ?? 2_000);
const ROUNDS = 5;
const AT_ONCE = 50;

await using server = await startRedis();
const redis = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'bench');
const keys = createKeys('bench');
const topics = new RedisTopicStore(redis, keys);
const log = new RedisLog(redis, keys);

async function cpuMs(): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = [...info.matchAll(/used_cpu_(?:user|sys):([\d.]+)/g)].map(([, value]) => Number(value));
  return seconds.reduce((sum, value) => sum + value, 0) * 1_000;
}

/** Microseconds of the server's CPU for one append. */
async function measure(topic: string, recordCount: number, first: number): Promise<number> {
  const batch = encodeBatch(
    Array.from({ length: recordCount }, () => ({ value: 'x'.repeat(200), timestampMs: 0 })),
  );
  const before = await cpuMs();
  for (let at = 0; at < APPENDS; at += AT_ONCE) {
    const results = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => {
        const sequence = first + (at + index) * recordCount;
        return log.append({
          topic,
          partition: 0,
          producerId: 'p',
          producerEpoch: 0,
          sequence,
          recordCount,
          batch,
        });
      }),
    );
    if (results.some(({ status }) => status !== 'APPENDED')) throw new Error('an append was refused');
  }
  return ((await cpuMs()) - before) * (1_000 / APPENDS);
}

for (const recordCount of [1, 100, 500]) {
  const found: Record<'free' | 'limited', number[]> = { free: [], limited: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of ['free', 'limited'] as const) {
      const topic = `${kind}-${recordCount}-${round}`;
      await topics.create(
        topic,
        1,
        kind === 'free' ? undefined : { maxRecords: 20 * recordCount, onFull: 'trim' },
      );
      found[kind].push(await measure(topic, recordCount, 0));
      await topics.delete(topic);
    }
  }
  const [free, limited] = [median(found.free), median(found.limited)];
  console.log(
    `${recordCount} records of 200 bytes: ${free.toFixed(1)} µs without a limit, ${limited.toFixed(1)} µs at one (${(limited / free).toFixed(2)}x)`,
  );
}
await closeConnection(redis);
