/**
 * What sending costs, per record: CPU of this process and of Redis, appends, bytes stored. CPU and not the clock is what
 * is compared, so that two runs on a busy machine can be compared as well.
 *
 * `node test/bench/profile-producer.ts [--mode batch|send] [--records 600000] [--partitions 16] [--call 1000]
 *   [--concurrency 16] [--keys] [--spread [--fresh]] [--value-bytes 200] [--rounds 3] [--profile FILE.cpuprofile] [--json]` and the producer's own
 * `--max-batch-bytes`.
 * `--mode batch`: `sendBatch` of `--call` records, `--concurrency` of them at a time. `--mode send`: `--concurrency`
 * callers, each of whom awaits one `send` after the other. `--mode latency`: 1,000 single sends a second, to the
 * acknowledgement. `--spread`: records name their partitions, in turn; `--fresh`: of values
 * that differ, made for each call, as a loader makes them: those of a call that waits have left the caches. `--plain`: the same with XADD, pipelined or auto-pipelined.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import { startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { connect, type Producer } from 'millrace';
import { median } from './median.ts';
import { pace } from './run/pace.ts';
import { bufferValue } from './run/values.ts';

const { values: options } = parseArgs({
  options: {
    mode: { type: 'string', default: 'batch' },
    records: { type: 'string', default: '600000' },
    partitions: { type: 'string', default: '16' },
    call: { type: 'string', default: '1000' },
    concurrency: { type: 'string', default: '16' },
    keys: { type: 'boolean', default: false },
    spread: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    text: { type: 'boolean', default: false },
    'value-bytes': { type: 'string', default: '200' },
    'max-batch-bytes': { type: 'string' },
    rounds: { type: 'string', default: '3' },
    plain: { type: 'boolean', default: false },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const RECORDS = Number(options.records);
const PARTITIONS = Number(options.partitions);
const CALL_RECORDS = Number(options.call);
const CONCURRENCY = Number(options.concurrency);
const ROUNDS = Number(options.rounds);
const VALUE = Buffer.alloc(Number(options['value-bytes']), 'x');
const value = options.text ? 'x'.repeat(Number(options['value-bytes'])) : VALUE;
const TOPIC = 'profile';

type Send = (count: number) => Promise<void>;

await using server = await startRedis({ directives: { appendonly: 'no' } });
const redis = new Redis(server.url);
const plain = new Redis({ ...server, port: server.port, enableAutoPipelining: options.mode === 'send' });

/** `CONCURRENCY` callers that share the work. */
function side(each: () => Promise<unknown>, perCall: number): Send {
  return async (count) => {
    let left = Math.ceil(count / perCall);
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        while (left-- > 0) await each();
      }),
    );
  };
}

function producerSide(producer: Producer): Send {
  // Made before, as the records of a real caller are not made here.
  const records = Array.from({ length: 10_000 }, (_, index) =>
    options.keys
      ? { key: `customer-${index}`, value }
      : options.spread
        ? { partition: index % PARTITIONS, value }
        : { value },
  );
  let next = 0;
  if (options.mode === 'send')
    return side(() => producer.send(TOPIC, records[next++ % records.length] ?? { value }), 1);
  const calls = Array.from({ length: Math.ceil(records.length / CALL_RECORDS) }, (_, index) =>
    records.slice(index * CALL_RECORDS, (index + 1) * CALL_RECORDS),
  );
  if (options.fresh)
    return side(() => {
      const first = next++ * CALL_RECORDS;
      const batch = Array.from({ length: CALL_RECORDS }, (_, index) => ({
        partition: (first + index) % PARTITIONS,
        value: bufferValue(first + index),
      }));
      return producer.sendBatch(TOPIC, batch);
    }, CALL_RECORDS);
  return side(() => producer.sendBatch(TOPIC, calls[next++ % calls.length] ?? []), CALL_RECORDS);
}

function plainSide(): Send {
  let nextStream = 0;
  if (options.mode === 'send')
    return side(() => plain.xadd(`p:${nextStream++ % PARTITIONS}`, '*', 'v', VALUE), 1);
  return side(() => {
    const pipeline = plain.pipeline();
    for (let index = 0; index < CALL_RECORDS; index++)
      pipeline.xadd(`p:${nextStream++ % PARTITIONS}`, '*', 'v', VALUE);
    return pipeline.exec();
  }, CALL_RECORDS);
}

async function info(section: string, field: string): Promise<number> {
  const text = await redis.info(section);
  return Number(new RegExp(`^${field}[:=]([\\d.]+)`, 'm').exec(text)?.[1] ?? 0);
}

async function redisCpuS(): Promise<number> {
  return (await info('cpu', 'used_cpu_user')) + (await info('cpu', 'used_cpu_sys'));
}

async function appends(): Promise<number> {
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(await redis.info('commandstats'))?.[1] ?? 0);
}

async function latency(producer: Producer): Promise<number[]> {
  const taken: number[] = [];
  await pace(RECORDS, 1_000, async (index) => {
    const sentMs = performance.now();
    await (options.plain
      ? plain.xadd(`p:${index % PARTITIONS}`, '*', 'v', VALUE)
      : producer.send(TOPIC, { value: VALUE }));
    taken.push(performance.now() - sentMs);
  });
  return taken.toSorted((a, b) => a - b);
}

const millrace = await connect({ url: server.url, prefix: 'bench', name: 'bench', logger: false });
const maxBatchBytes = options['max-batch-bytes'];
const producer = millrace.producer(
  maxBatchBytes === undefined ? {} : { maxBatchBytes: Number(maxBatchBytes) },
);

if (options.mode === 'latency') {
  await millrace.admin.createTopic(TOPIC, { partitions: PARTITIONS });
  for (let round = 0; round <= ROUNDS; round++) {
    const taken = await latency(producer);
    const at = (share: number): string => (taken[Math.floor(taken.length * share)] ?? 0).toFixed(3);
    if (round > 0) console.log(`p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms`);
  }
} else {
  const send = options.plain ? plainSide() : producerSide(producer);
  const rounds: Record<string, number>[] = [];
  const inspector = new Session();
  inspector.connect();
  await inspector.post('Profiler.enable');
  // The first one warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    await redis.flushall();
    await millrace.admin.createTopic(TOPIC, { partitions: PARTITIONS });
    await send(PARTITIONS * 100);
    const [baseBytes, baseAppends, baseCpuS] = [
      await info('memory', 'used_memory'),
      await appends(),
      await redisCpuS(),
    ];
    const baseUsage = process.cpuUsage();
    if (options.profile !== undefined && round === 1) await inspector.post('Profiler.start');
    const startMs = performance.now();
    await send(RECORDS);
    const wallMs = performance.now() - startMs;
    const { user, system } = process.cpuUsage(baseUsage);
    const figures = {
      clientNs: ((user + system) * 1_000) / RECORDS,
      clientKernelNs: (system * 1_000) / RECORDS,
      redisNs: (((await redisCpuS()) - baseCpuS) * 1e9) / RECORDS,
      recordsPerS: RECORDS / (wallMs / 1_000),
      recordsPerAppend: RECORDS / ((await appends()) - baseAppends),
      bytesPerRecord: ((await info('memory', 'used_memory')) - baseBytes) / RECORDS,
    };
    if (round > 0) rounds.push(figures);
  }
  if (options.profile !== undefined)
    writeFileSync(options.profile, JSON.stringify((await inspector.post('Profiler.stop')).profile));
  inspector.disconnect();
  const names = Object.keys(rounds[0] ?? {});
  const medians = Object.fromEntries(
    names.map((name) => [name, Math.round(median(rounds.map((figures) => figures[name] ?? 0)))]),
  );
  if (options.json) console.log(JSON.stringify({ ...options, medians, rounds }));
  else console.log(names.map((name) => `${name} ${medians[name]}`).join('  '));
}
await millrace.close();
redis.disconnect();
plain.disconnect();
