/** Many callers that each wait for their own record: `send` against `XADD` that ioredis pipelines by itself. */
import type { IoredisProducer } from '../peers/ioredis-producer.ts';
import { compareTurns } from '../report/row.ts';
import { startSide } from '../run/side-process.ts';
import { costsOf, recordsPerSecond, takeTurns } from '../run/take-turns.ts';
import { MILLRACE_PRODUCER, openProducer, PARTITIONS } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

const CONCURRENCY = 1_000;

export const send: RowDefinition = {
  id: 'send',
  title: 'send, one record a call',
  steps: ({ rounds }) => (rounds + 1) * 2,
  async run(bench) {
    if (!bench.peers.has('ioredis')) return [];
    await using millrace = await openProducer(bench, 'singles');
    await using plain = await startSide<IoredisProducer>('ioredis-producer');
    await plain.call('open', { url: bench.redis.url, autoPipelining: true });
    const samples = await takeTurns(bench, 'send', [
      {
        name: 'millrace',
        measure: () =>
          millrace.call('send', {
            topic: 'singles',
            partitions: PARTITIONS,
            records: bench.count(250_000),
            concurrency: CONCURRENCY,
          }),
      },
      {
        name: 'ioredis',
        measure: () =>
          plain.call('send', {
            streams: PARTITIONS,
            records: bench.count(100_000),
            concurrency: CONCURRENCY,
            values: 'text',
          }),
      },
    ]);
    const settings = {
      millrace: `${MILLRACE_PRODUCER}; ${CONCURRENCY} sends that wait for their answers at a time`,
      ioredis: `XADD, enableAutoPipelining, values as text, ${CONCURRENCY} that wait for their answers at a time; ${PARTITIONS} streams`,
    };
    return [
      compareTurns(
        {
          id: 'send/ioredis',
          measure: '1,000 sends at a time / auto-pipelined XADD',
          unit: 'records/s',
          target: { atLeast: 2 },
          costs: costsOf(samples, 'millrace', 'ioredis'),
          settings,
        },
        { name: 'millrace', values: recordsPerSecond(samples.millrace) },
        { name: 'ioredis', values: recordsPerSecond(samples.ioredis) },
      ),
    ];
  },
};
