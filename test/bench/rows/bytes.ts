/** What a record takes in the server's memory, allocation included: random values, and JSON with compression. */
import type { IoredisProducer } from '../peers/ioredis-producer.ts';
import type { MillraceProducer } from '../peers/millrace-producer.ts';
import { compareTurns } from '../report/row.ts';
import type { Bench } from '../run/bench.ts';
import { startSide, type Side } from '../run/side-process.ts';
import { BULK, PARTITIONS, PIPELINES } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

type Values = 'text' | 'json';

export const bytes: RowDefinition = {
  id: 'bytes',
  title: 'memory in Redis',
  steps: ({ rounds }) => rounds * 4,
  async run(bench) {
    if (!bench.peers.has('ioredis')) return [];
    const records = bench.count(480_000);
    const found = { 'millrace text': [], 'ioredis text': [], 'millrace json': [], 'ioredis json': [] };
    for (let round = 1; round <= bench.rounds; round++) {
      for (const values of ['text', 'json'] as const) {
        bench.progress.begin(`bytes: millrace, ${values}, round ${round}`);
        push(found, `millrace ${values}`, await ofMillrace(bench, values, records));
        bench.progress.begin(`bytes: ioredis, ${values}, round ${round}`);
        push(found, `ioredis ${values}`, await ofPlain(bench, values, records));
      }
    }
    const sent = `${records} records by sendBatch, ${BULK.callRecords} a call, over ${PARTITIONS} partitions`;
    const added = `XADD of one field, over ${PARTITIONS} streams`;
    return [
      compareTurns(
        {
          id: 'bytes/ioredis',
          measure: 'memory a record, 200 random letters / plain XADD',
          unit: 'bytes',
          target: { atMost: 0.95 },
          settings: { millrace: sent, ioredis: added },
        },
        { name: 'millrace', values: found['millrace text'] },
        { name: 'ioredis', values: found['ioredis text'] },
      ),
      compareTurns(
        {
          id: 'bytes-json/ioredis',
          measure: 'memory a record, JSON with zstd / plain XADD of the same',
          unit: 'bytes',
          target: { atMost: 0.3 },
          settings: {
            millrace: `${sent}, compression zstd; order events of about 200 bytes`,
            ioredis: added,
          },
        },
        { name: 'millrace', values: found['millrace json'] },
        { name: 'ioredis', values: found['ioredis json'] },
      ),
    ];
  },
};

function push(found: Record<string, number[]>, name: string, value: number): void {
  found[name]?.push(value);
}

async function ofMillrace(bench: Bench, values: Values, records: number): Promise<number> {
  await bench.clear();
  const options = values === 'json' ? ({ compression: 'zstd' } as const) : {};
  await using side: Side<MillraceProducer> = await startSide<MillraceProducer>('millrace-producer');
  await side.call('open', { url: bench.redis.url, options });
  const before = await bench.datasetBytes();
  await side.call('createTopic', { topic: 'bytes', partitions: PARTITIONS });
  await side.call('sendBatch', { topic: 'bytes', partitions: PARTITIONS, records, values, ...BULK });
  return ((await bench.datasetBytes()) - before) / records;
}

async function ofPlain(bench: Bench, values: Values, records: number): Promise<number> {
  await bench.clear();
  await using side = await startSide<IoredisProducer>('ioredis-producer');
  await side.call('open', { url: bench.redis.url, autoPipelining: false });
  const before = await bench.datasetBytes();
  await side.call('append', { streams: PARTITIONS, records, ...PIPELINES, values });
  return ((await bench.datasetBytes()) - before) / records;
}
