/** Bulk loading: `sendBatch` against pipelined `XADD` and BullMQ's `addBulk`. */
import type { BullMq } from '../peers/bullmq.ts';
import type { IoredisProducer } from '../peers/ioredis-producer.ts';
import { compareTurns } from '../report/row.ts';
import { startSide } from '../run/side-process.ts';
import { costsOf, recordsPerSecond, takeTurns, type Contestant } from '../run/take-turns.ts';
import { BULK, MILLRACE_PRODUCER, openProducer, PARTITIONS, PIPELINES } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

const ADD_BULK = { callRecords: 500, callsInFlight: 4 };

export const sendBatch: RowDefinition = {
  id: 'send-batch',
  title: 'sendBatch',
  steps: ({ rounds, peers }) =>
    (rounds + 1) * (1 + Number(peers.has('ioredis')) + Number(peers.has('bullmq'))),
  async run(bench) {
    await using processes = new AsyncDisposableStack();
    const millrace = processes.use(await openProducer(bench, 'bulk'));
    const contestants: Contestant[] = [
      {
        name: 'millrace',
        measure: () =>
          millrace.call('sendBatch', {
            topic: 'bulk',
            partitions: PARTITIONS,
            records: bench.count(600_000),
            ...BULK,
          }),
      },
    ];
    if (bench.peers.has('ioredis')) {
      const plain = processes.use(await startSide<IoredisProducer>('ioredis-producer'));
      await plain.call('open', { url: bench.redis.url, autoPipelining: false });
      const args = { streams: PARTITIONS, records: bench.count(120_000), ...PIPELINES };
      contestants.push({ name: 'ioredis', measure: () => plain.call('append', args) });
    }
    if (bench.peers.has('bullmq')) {
      const bullmq = processes.use(await startSide<BullMq>('bullmq'));
      await bullmq.call('open', { url: bench.redis.url });
      const args = { records: bench.count(20_000), ...ADD_BULK };
      contestants.push({ name: 'bullmq', measure: () => bullmq.call('addBulk', args) });
    }
    const samples = await takeTurns(bench, 'send-batch', contestants);
    const values = (name: string): number[] => recordsPerSecond(samples[name] ?? []);
    const millraceSettings = `${MILLRACE_PRODUCER}; ${BULK.callRecords} records a call, ${BULK.callsInFlight} calls in flight`;
    const rows = [];
    if (bench.peers.has('ioredis')) {
      rows.push(
        compareTurns(
          {
            id: 'send-batch/ioredis',
            measure: 'sendBatch / pipelined XADD',
            unit: 'records/s',
            target: { atLeast: 6 },
            costs: costsOf(samples, 'millrace', 'ioredis'),
            settings: {
              millrace: millraceSettings,
              ioredis: `pipelines of ${PIPELINES.pipelineRecords} XADD, ${PIPELINES.pipelinesInFlight} in flight, values as ${PIPELINES.values}; ${PARTITIONS} streams`,
            },
          },
          { name: 'millrace', values: values('millrace') },
          { name: 'ioredis', values: values('ioredis') },
        ),
      );
    }
    if (bench.peers.has('bullmq')) {
      rows.push(
        compareTurns(
          {
            id: 'send-batch/bullmq',
            measure: 'sendBatch / BullMQ addBulk',
            unit: 'records/s',
            target: { atLeast: 30 },
            costs: costsOf(samples, 'millrace', 'bullmq'),
            settings: {
              millrace: millraceSettings,
              bullmq: `addBulk of ${ADD_BULK.callRecords} jobs, ${ADD_BULK.callsInFlight} calls in flight, removeOnComplete; one queue`,
            },
          },
          { name: 'millrace', values: values('millrace') },
          { name: 'bullmq', values: values('bullmq') },
        ),
      );
    }
    return rows;
  },
};
