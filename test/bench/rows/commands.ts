/**
 * What the server has to execute for a record while one process sends and another consumes as fast as they can. INFO
 * commandstats counts what scripts call as well, so this is more than what goes over the wire.
 */
import { bound } from '../report/row.ts';
import { BULK, evenEnds, openConsumer, openProducer, PARTITIONS } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

export const commands: RowDefinition = {
  id: 'commands',
  title: 'Redis commands a record',
  steps: ({ rounds }) => rounds + 1,
  async run(bench) {
    const records = bench.count(500_000);
    await using producer = await openProducer(bench, 'load');
    await using consumer = await openConsumer(bench, {
      topic: 'load',
      partitions: PARTITIONS,
      groups: ['load'],
      handler: 'eachBatch',
    });
    const perRecord: number[] = [];
    let last = new Map<string, number>();
    for (let round = 0; round <= bench.rounds; round++) {
      bench.progress.begin(`commands: ${round === 0 ? 'warm-up' : `round ${round}`}`);
      const from = evenEnds(records, PARTITIONS).map((end) => end * round);
      const to = evenEnds(records, PARTITIONS).map((end) => end * (round + 1));
      await bench.control.config('RESETSTAT');
      await Promise.all([
        consumer.call('pass', { from, to }),
        producer.call('sendBatch', { topic: 'load', partitions: PARTITIONS, records, ...BULK }),
      ]);
      last = countCalls(await bench.control.info('commandstats'));
      const total = [...last.values()].reduce((sum, calls) => sum + calls, 0);
      if (round > 0) perRecord.push(total / records);
    }
    const most = [...last].toSorted(([, a], [, b]) => b - a).slice(0, 6);
    return [
      bound(
        {
          id: 'commands',
          measure: 'Redis commands a record: send, consume, commit, upkeep of the group',
          unit: 'commands',
          target: { atMost: 0.02 },
          settings: {
            millrace: `sendBatch of ${BULK.callRecords}, ${BULK.callsInFlight} in flight, and eachBatch, a process each, at the same time; ${PARTITIONS} partitions`,
          },
          note: `most often, of ${records} records: ${most.map(([name, calls]) => `${name} ${calls}`).join(', ')}`,
        },
        { name: 'millrace', values: perRecord },
      ),
    ];
  },
};

function countCalls(info: string): Map<string, number> {
  const calls = new Map<string, number>();
  for (const [, name = '', count] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm))
    calls.set(name, Number(count));
  return calls;
}
