/**
 * The log against plain Redis Streams: encode, append, read and decode of 200-byte values, one process, one server.
 * Both sides take turns in one run; the ratios count, an absolute figure says more about the machine.
 *
 * Appends are what a producer sends: batches of 500, idempotent, encoded as part of the measure, one in flight for
 * each of 8 partitions. The plain side has its best settings as well: pipelines of 500 XADD, 8 in flight, binary
 * values, and binary reads of 1,000 entries.
 *
 * `node test/bench/log.ts [--rounds 5] [--batches 1200] [--json]`
 */
import { parseArgs } from 'node:util';
import {
  createKeys,
  decodeBatch,
  encodeBatch,
  openReader,
  readBatches,
  RedisLog,
  RedisTopicStore,
  type Keys,
  type ReaderConnection,
  type RecordInput,
} from '@millrace/redis';
import { startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { median } from './median.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    batches: { type: 'string', default: '1200' },
    json: { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(options.rounds);
const BATCHES = Number(options.batches);
const BATCH_RECORDS = 500;
const VALUE_BYTES = 200;
const PARTITIONS = 8;
const RECORDS = BATCHES * BATCH_RECORDS;

const VALUE = Buffer.alloc(VALUE_BYTES, 'x');
const RECORD_INPUTS: readonly RecordInput[] = Array.from({ length: BATCH_RECORDS }, () => ({
  value: VALUE,
  timestampMs: 1_700_000_000_000,
}));

/** Calls `send` for each batch, in a lane of its own for each of the partitions: the next when the last is answered. */
async function inLanes(send: (lane: number, index: number) => Promise<unknown>): Promise<void> {
  await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, lane) => {
      for (let index = lane; index < BATCHES; index += PARTITIONS) await send(lane, index);
    }),
  );
}

function encode(): void {
  for (let index = 0; index < BATCHES; index++) encodeBatch(RECORD_INPUTS);
}

async function append(redis: Redis, keys: Keys): Promise<void> {
  const log = new RedisLog(redis, keys);
  await inLanes(async (partition, index) => {
    const result = await log.append({
      topic: 'bench',
      partition,
      producerId: 'bench',
      producerEpoch: 0,
      sequence: ((index - partition) / PARTITIONS) * BATCH_RECORDS,
      recordCount: BATCH_RECORDS,
      batch: encodeBatch(RECORD_INPUTS),
    });
    if (result.status !== 'APPENDED') throw new Error(`not appended: ${result.status}`);
  });
}

async function read(reader: ReaderConnection): Promise<void> {
  const offsets = Array.from({ length: PARTITIONS }, () => 0);
  let [records, bytes] = [0, 0];
  while (records < RECORDS) {
    const positions = offsets.map((offset, partition) => ({ topic: 'bench', partition, offset }));
    for (const batch of await readBatches(reader, positions, { maxEntries: 2 })) {
      for (const record of decodeBatch(batch.bytes)) bytes += record.value?.length ?? 0;
      records += BATCH_RECORDS;
      offsets[Number(batch.partition.split('/')[1])] = batch.nextOffset;
    }
  }
  check(records, bytes);
}

async function plainAppend(redis: Redis): Promise<void> {
  await inLanes((lane) => {
    const pipeline = redis.pipeline();
    for (let record = 0; record < BATCH_RECORDS; record++) pipeline.xadd(`plain:${lane}`, '*', 'v', VALUE);
    return pipeline.exec();
  });
}

async function plainRead(redis: Redis): Promise<void> {
  let [records, bytes] = [0, 0];
  for (let lane = 0; lane < PARTITIONS; lane++) {
    let cursor: Buffer | string = '0-0';
    for (;;) {
      const reply: unknown = await redis.xreadBuffer('COUNT', 1000, 'STREAMS', `plain:${lane}`, cursor);
      const entries = (reply as [Buffer, [Buffer, Buffer[]][]][] | null)?.[0]?.[1] ?? [];
      for (const [id, fields] of entries) {
        bytes += fields[1]?.length ?? 0;
        cursor = id;
      }
      records += entries.length;
      if (entries.length === 0) break;
    }
  }
  check(records, bytes);
}

function check(records: number, bytes: number): void {
  if (records !== RECORDS || bytes !== RECORDS * VALUE_BYTES)
    throw new Error(`read ${records} records, ${bytes} bytes`);
}

async function storedBytes(redis: Redis, streams: readonly string[]): Promise<number> {
  const sizes = await Promise.all(streams.map((stream) => redis.memory('USAGE', stream, 'SAMPLES', 0)));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0) / RECORDS;
}

const MEASURES = ['encode', 'append', 'plainAppend', 'read', 'plainRead'] as const;
type Measure = (typeof MEASURES)[number];

await using server = await startRedis({ directives: { appendonly: 'no' } });
const redis = new Redis(server.url);
const keys = createKeys('bench');
const reader = await openReader({ url: server.url, connectTimeoutMs: 5_000 }, keys, 'bench:reader');
const topics = new RedisTopicStore(redis, keys);
const seconds: Record<Measure, number[]> = {
  encode: [],
  append: [],
  plainAppend: [],
  read: [],
  plainRead: [],
};
const bytes = { log: 0, plain: 0 };

async function timed(measure: Measure, isWarm: boolean, run: () => void | Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await run();
  if (isWarm) seconds[measure].push((performance.now() - startedAt) / 1000);
}

// The first round only warms up.
for (let round = 0; round <= ROUNDS; round++) {
  const isWarm = round > 0;
  await redis.flushall();
  await topics.create('bench', PARTITIONS);
  const ours = async (): Promise<void> => {
    await timed('append', isWarm, () => append(redis, keys));
    await timed('read', isWarm, () => read(reader));
  };
  const plain = async (): Promise<void> => {
    await timed('plainAppend', isWarm, () => plainAppend(redis));
    await timed('plainRead', isWarm, () => plainRead(redis));
  };
  await timed('encode', isWarm, encode);
  // Neither side is always the one that finds the memory fresh.
  for (const side of round % 2 === 0 ? [ours, plain] : [plain, ours]) await side();
  const partitions = Array.from({ length: PARTITIONS }, (_, index) => index);
  bytes.log = await storedBytes(
    redis,
    partitions.map((partition) => keys.partition('bench', partition).log),
  );
  bytes.plain = await storedBytes(
    redis,
    partitions.map((lane) => `plain:${lane}`),
  );
  if (!options.json) process.stderr.write(round === 0 ? 'warmed up\n' : `round ${round} of ${ROUNDS}\n`);
}
redis.disconnect();

const recordsPerSecond = Object.fromEntries(
  MEASURES.map((measure) => [measure, Math.round(RECORDS / median(seconds[measure]))]),
) as Record<Measure, number>;
const result = {
  rounds: ROUNDS,
  records: RECORDS,
  valueBytes: VALUE_BYTES,
  batchRecords: BATCH_RECORDS,
  recordsPerSecond,
  bytesPerRecord: { log: round2(bytes.log), plain: round2(bytes.plain) },
  ratios: {
    append: round2(recordsPerSecond.append / recordsPerSecond.plainAppend),
    read: round2(recordsPerSecond.read / recordsPerSecond.plainRead),
    bytesPerRecord: round2(bytes.log / bytes.plain),
  },
};

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

if (options.json) {
  console.log(JSON.stringify(result));
} else {
  const line = (name: string, text: string): void => console.log(`${name.padEnd(24)}${text}`);
  const perSecond = (measure: Measure): string => `${Math.round(recordsPerSecond[measure] / 1000)} k/s`;
  console.log(
    `${RECORDS} records of ${VALUE_BYTES} bytes, batches of ${BATCH_RECORDS}, medians of ${ROUNDS}`,
  );
  line('encode', perSecond('encode'));
  line(
    'encode + append',
    `${perSecond('append')}, plain XADD ${perSecond('plainAppend')}: ${result.ratios.append} times`,
  );
  line(
    'read + decode',
    `${perSecond('read')}, plain XREAD ${perSecond('plainRead')}: ${result.ratios.read} times`,
  );
  line(
    'bytes in Redis',
    `${result.bytesPerRecord.log} a record, plain ${result.bytesPerRecord.plain}: ${result.ratios.bytesPerRecord} times`,
  );
}
