/** A connected client per test, a way to read back what was stored, and a producer on virtual time. */
import {
  createKeys,
  decodeBatch,
  openConnection,
  closeConnection,
  readBatches,
  type BatchRecord,
  type CommandConnection,
  type EntryReader,
} from '@millrace/redis';
import { VirtualClock } from '@millrace/testkit';
import { test as redisTest, type TestRedis } from '@millrace/testkit/vitest';
import { expect } from 'vitest';
import { systemRandom } from '../src/clock/system-clock.ts';
import { connectionName, type ClientContext } from '../src/connect/client-context.ts';
import { createRedisBackend } from '../src/connect/redis-backend.ts';
import { connect, type Millrace } from '../src/index.ts';
import { silentLogger } from '../src/logging/logger.ts';
import { createProducer } from '../src/producer/create-producer.ts';
import type { ProducerOptions } from '../src/producer/producer-options.ts';
import type { Producer } from '../src/producer/producer.ts';

export interface StoredRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly record: BatchRecord;
}

export interface StoredPartition {
  readonly records: readonly StoredRecord[];
  /** Records per stored batch, in order. */
  readonly batches: readonly number[];
}

/** `millrace` deletes all topics at the end of the test, through the product. */
export const test = redisTest.extend<{ millrace: Millrace }>({
  millrace: async ({ redis }, use) => {
    const millrace = await connect({ url: redis.url, prefix: redis.prefix, name: 'test' });
    await use(millrace);
    for (const { name } of await millrace.admin.listTopics()) await millrace.admin.deleteTopic(name);
    await millrace.close();
  },
});

/** What a promise rejects with. Takes hold of it at once, so that it may be looked at later. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error as Error,
  );
}

/** Everything that a partition holds, read as a consumer would. */
export async function readPartition(
  redis: CommandConnection,
  prefix: string,
  topic: string,
  partition: number,
): Promise<StoredPartition> {
  const keys = createKeys(prefix);
  // On the connection that is there, of whatever kind, beside what else is asked on it.
  const reader: EntryReader = {
    async readEntries([position], { maxEntries }, take) {
      const { log } = keys.partition(topic, partition);
      const id = `0-${position?.offset}`;
      const streams = await redis.xreadBuffer('COUNT', maxEntries, 'STREAMS', log, id);
      return take({ names: [log], streams: streams ?? [], server: null });
    },
  };
  const records: StoredRecord[] = [];
  const batches: number[] = [];
  for (let offset = 0, isMore = true; isMore;) {
    const read = await readBatches(reader, [{ topic, partition, offset }], { maxEntries: 100 });
    for (const batch of read) {
      const decoded = decodeBatch(batch.bytes, offset);
      batches.push(decoded.length);
      for (const record of decoded) records.push(describe(record));
      offset = batch.nextOffset;
    }
    isMore = read.length > 0;
  }
  return { records, batches };
}

function describe(record: BatchRecord): StoredRecord {
  const { offset, key, value } = record;
  return { offset, key: key?.toString() ?? null, value: value?.toString() ?? null, record };
}

export interface VirtualProducer extends AsyncDisposable {
  readonly producer: Producer;
  readonly clock: VirtualClock;
  readonly context: ClientContext;
}

/** A producer without chance, whose timers run only when the test says so, on a connection of its own. */
export async function openVirtualProducer(
  redis: Pick<TestRedis, 'url' | 'prefix'>,
  options: ProducerOptions = {},
): Promise<VirtualProducer> {
  const { url, prefix } = redis;
  const config = { url, connectTimeoutMs: 5_000 };
  const name = 'virtual';
  const command = await openConnection(config, 'command', connectionName({ prefix, name }, 'command'));
  const clock = new VirtualClock();
  const keys = createKeys(prefix);
  const given: Omit<ClientContext, 'backend'> = {
    config,
    prefix,
    keys,
    name,
    command,
    clock,
    logger: silentLogger,
    onUnheard: () => {},
    // Every delay and every choice is the middle one, so that a test knows when what is tried again.
    random: { ...systemRandom, next: () => 0.5 },
    onClose: () => () => {},
  };
  const context: ClientContext = { ...given, backend: createRedisBackend(given) };
  const producer = createProducer(context, options);
  return {
    producer,
    clock,
    context,
    async [Symbol.asyncDispose]() {
      await producer.close();
      await closeConnection(command);
    },
  };
}
