/** Consuming one by one: `eachRecord` with an asynchronous handler against the same over `XREADGROUP` with `XACK`. */
import type { IoredisConsumer } from '../peers/ioredis-consumer.ts';
import { compareTurns } from '../report/row.ts';
import { startSide } from '../run/side-process.ts';
import { costsOf, recordsPerSecond, takeTurns } from '../run/take-turns.ts';
import { GROUP_READ, plainGroupSettings } from './each-batch.ts';
import { fillStreams, fillTopic, MILLRACE_CONSUMER, openConsumer, PARTITIONS, zeros } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

export const eachRecord: RowDefinition = {
  id: 'each-record',
  title: 'eachRecord and commit',
  steps: ({ rounds }) => (rounds + 1) * 2,
  async run(bench) {
    if (!bench.peers.has('ioredis')) return [];
    const [records, plainRecords] = [bench.count(500_000), bench.count(150_000)];
    const ends = await fillTopic(bench, { topic: 'records', partitions: PARTITIONS, records });
    await fillStreams(bench, plainRecords);
    await using millrace = await openConsumer(bench, {
      topic: 'records',
      partitions: PARTITIONS,
      groups: ['records'],
      handler: 'eachRecord',
    });
    await using plain = await startSide<IoredisConsumer>('ioredis-consumer');
    await plain.call('open', { url: bench.redis.url });
    let group = 0;
    const samples = await takeTurns(bench, 'each-record', [
      { name: 'millrace', measure: () => millrace.call('pass', { from: zeros(PARTITIONS), to: ends }) },
      {
        name: 'ioredis',
        measure: () =>
          plain.call('consume', {
            streams: PARTITIONS,
            records: plainRecords,
            group: `g${++group}`,
            handler: 'record',
            ...GROUP_READ,
          }),
      },
    ]);
    return [
      compareTurns(
        {
          id: 'each-record/ioredis',
          measure: 'eachRecord, async handler, + commit / XREADGROUP + XACK',
          unit: 'records/s',
          target: { atLeast: 3 },
          costs: costsOf(samples, 'millrace', 'ioredis'),
          settings: {
            millrace: MILLRACE_CONSUMER,
            ioredis: `${plainGroupSettings()}; the handler is awaited for each record`,
          },
        },
        { name: 'millrace', values: recordsPerSecond(samples.millrace) },
        { name: 'ioredis', values: recordsPerSecond(samples.ioredis) },
      ),
    ];
  },
};
