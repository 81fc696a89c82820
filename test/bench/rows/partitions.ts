/** A topic of 1,024 partitions against one of 16: sending to each of them, or to any, and consuming all of them. */
import { compareTurns } from '../report/row.ts';
import { costsOf, recordsPerSecond, takeTurns } from '../run/take-turns.ts';
import { fillTopic, openConsumer, openProducer, UNPACED, zeros } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

const FEW = 16;
const MANY = 1_024;

export const partitions: RowDefinition = {
  id: 'partitions',
  title: '1,024 partitions',
  steps: ({ rounds }) => (rounds + 1) * 6,
  async run(bench) {
    const records = bench.count(500_000);
    await using producer = await openProducer(bench, 'send-few', FEW);
    await producer.call('createTopic', { topic: 'send-many', partitions: MANY });
    const send = (topic: string, partitions: number, placed: 'in turn' | 'by the producer') => () =>
      producer.call('sendBatch', { topic, partitions, records, placed, ...UNPACED });
    const sent = await takeTurns(bench, 'partitions, send', [
      { name: 'many', measure: send('send-many', MANY, 'in turn') },
      { name: 'few', measure: send('send-few', FEW, 'in turn') },
      { name: 'manyUnkeyed', measure: send('send-many', MANY, 'by the producer') },
      { name: 'fewUnkeyed', measure: send('send-few', FEW, 'by the producer') },
    ]);
    await producer.call('close');

    // More, as a pass ends with a commit of every partition: 1,024 of them are to be a small part of it.
    const stored = bench.count(3_000_000);
    const fewEnds = await fillTopic(bench, { topic: 'few', partitions: FEW, records: stored }, 0, UNPACED);
    const manyEnds = await fillTopic(bench, { topic: 'many', partitions: MANY, records: stored }, 0, UNPACED);
    await using few = await openConsumer(bench, {
      topic: 'few',
      partitions: FEW,
      groups: ['few'],
      handler: 'eachBatch',
    });
    await using many = await openConsumer(bench, {
      topic: 'many',
      partitions: MANY,
      groups: ['many'],
      handler: 'eachBatch',
    });
    const consumed = await takeTurns(bench, 'partitions, consume', [
      { name: 'many', measure: () => many.call('pass', { from: zeros(MANY), to: manyEnds }) },
      { name: 'few', measure: () => few.call('pass', { from: zeros(FEW), to: fewEnds }) },
    ]);
    const calls = `as many calls as the producer takes (maxBufferedBytes, 32 MiB)`;
    const bulk = `sendBatch of ${UNPACED.callRecords} records to all partitions in turn, ${calls}`;
    return [
      compareTurns(
        {
          id: 'partitions-send',
          measure: 'sendBatch to each of 1,024 partitions in turn / of 16',
          unit: 'records/s',
          target: { atLeast: 0.8 },
          costs: costsOf(sent, 'many', 'few'),
          settings: { millrace: bulk },
        },
        { name: `${MANY} partitions`, values: recordsPerSecond(sent.many) },
        { name: `${FEW} partitions`, values: recordsPerSecond(sent.few) },
      ),
      compareTurns(
        {
          id: 'partitions-send-unkeyed',
          measure: 'sendBatch without keys to 1,024 partitions / to 16',
          unit: 'records/s',
          target: { atLeast: 0.8 },
          settings: {
            millrace: `sendBatch of ${UNPACED.callRecords} records, whose partitions the producer chooses, ${calls}`,
          },
        },
        { name: `${MANY} partitions`, values: recordsPerSecond(sent.manyUnkeyed) },
        { name: `${FEW} partitions`, values: recordsPerSecond(sent.fewUnkeyed) },
      ),
      compareTurns(
        {
          id: 'partitions-consume',
          measure: 'eachBatch + commit of 1,024 partitions / of 16',
          unit: 'records/s',
          target: { atLeast: 0.8 },
          costs: costsOf(consumed, 'many', 'few'),
          settings: { millrace: `one process each; both topics filled by ${bulk}` },
        },
        { name: `${MANY} partitions`, values: recordsPerSecond(consumed.many) },
        { name: `${FEW} partitions`, values: recordsPerSecond(consumed.few) },
      ),
    ];
  },
};
