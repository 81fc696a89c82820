/**
 * What waiting for copies costs: one record at a time, and batches of 100 into 16 partitions at once, by classes that take
 * turns in one run. A primary and a replica on this machine; the ratios count. `fsynced` where the Redis is 7.2 or newer.
 *
 * `node test/bench/acks.ts [--rounds 5] [--json]`
 */
import { parseArgs } from 'node:util';
import { eventually, startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { connect, type Acks, type Producer } from 'millrace';
import { median } from './median.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const ROUNDS = Number(options.rounds);
const SINGLE_SENDS = 300;
const PARTITIONS = 16;
const BATCHES_PER_PARTITION = 20;
const BATCH_RECORDS = 100;
const VALUE = 'x'.repeat(200);
const BATCH = Array.from({ length: BATCH_RECORDS }, () => ({ value: VALUE }));

await using primary = await startRedis({
  directives: { appendfsync: 'always', 'repl-diskless-sync-delay': '0' },
});
await using _replica = await startRedis({ directives: { replicaof: `127.0.0.1 ${primary.port}` } });
const plain = new Redis(primary.url);
const [waitAof] = (await plain.command('INFO', 'waitaof')) as readonly unknown[];
const classes: readonly Acks[] =
  waitAof === null ? ['memory', 'replicated'] : ['memory', 'replicated', 'fsynced'];
await eventually(async () => (await plain.info('replication')).includes('state=online'));

await using millrace = await connect({ url: primary.url, prefix: 'bench', name: 'bench', logger: false });
await millrace.admin.createTopic('acks', { partitions: PARTITIONS });
const producers = new Map(classes.map((acks) => [acks, millrace.producer({ acks })]));
const figures = new Map(
  classes.map((acks) => [acks, { sendMs: [] as number[], recordsPerS: [] as number[] }]),
);

async function oneByOne(producer: Producer): Promise<number> {
  const startMs = performance.now();
  for (let sent = 0; sent < SINGLE_SENDS; sent++) await producer.send('acks', { partition: 0, value: VALUE });
  return (performance.now() - startMs) / SINGLE_SENDS;
}

async function sideBySide(producer: Producer): Promise<number> {
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => {
      const records = BATCH.map((record) => ({ ...record, partition }));
      for (let sent = 0; sent < BATCHES_PER_PARTITION; sent++) await producer.sendBatch('acks', records);
    }),
  );
  const records = PARTITIONS * BATCHES_PER_PARTITION * BATCH_RECORDS;
  return (records / (performance.now() - startMs)) * 1_000;
}

// The first round opens connections and warms the code up.
for (let round = 0; round <= ROUNDS; round++) {
  for (const [acks, producer] of producers) {
    const sendMs = await oneByOne(producer);
    const recordsPerS = await sideBySide(producer);
    if (round === 0) continue;
    figures.get(acks)?.sendMs.push(sendMs);
    figures.get(acks)?.recordsPerS.push(recordsPerS);
  }
}
await Promise.all([...producers.values()].map((producer) => producer.close()));
plain.disconnect();

const medians = [...figures].map(([acks, { sendMs, recordsPerS }]) => ({
  acks,
  sendMs: median(sendMs),
  recordsPerS: median(recordsPerS),
}));
const [base] = medians;
const rows = medians.map((row) => ({
  ...row,
  timesAsLong: row.sendMs / (base?.sendMs ?? Number.NaN),
  timesTheRecords: row.recordsPerS / (base?.recordsPerS ?? Number.NaN),
}));
if (options.json) {
  console.log(JSON.stringify(rows));
} else {
  for (const { acks, sendMs, recordsPerS, timesAsLong, timesTheRecords } of rows) {
    console.log(
      `${acks.padEnd(10)} one by one ${sendMs.toFixed(3)} ms (${timesAsLong.toFixed(2)} × memory), ` +
        `side by side ${Math.round(recordsPerS).toLocaleString('en')} records/s (${timesTheRecords.toFixed(2)} × memory)`,
    );
  }
}
