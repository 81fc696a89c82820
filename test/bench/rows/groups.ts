/** What a delivered record costs when 1, 4 and 16 groups read one topic: processor time of the worker and of Redis. */
import type { MillraceConsumer } from '../peers/millrace-consumer.ts';
import { compareTurns } from '../report/row.ts';
import type { Side } from '../run/side-process.ts';
import { costsOf, costUs, takeTurns } from '../run/take-turns.ts';
import { fillTopic, FLAT, openConsumer, PARTITIONS, zeros } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

const GROUPS = [1, 4, 16] as const;
const MOST = 16;

export const groups: RowDefinition = {
  id: 'groups',
  title: '1, 4 and 16 groups',
  steps: ({ rounds }) => (rounds + 1) * GROUPS.length,
  async run(bench) {
    // Enough that the seeks, which are in Redis' time, and the last commits of a pass, of every group and partition, are a
    // small part of it.
    const records = bench.count(150_000);
    const to = await fillTopic(bench, { topic: 'shared', partitions: PARTITIONS, records });
    await using stack = new AsyncDisposableStack();
    const sides = new Map<number, Side<MillraceConsumer>>();
    for (const count of GROUPS) {
      const names = Array.from({ length: count }, (_, index) => `of-${count}-${index}`);
      const args = { topic: 'shared', partitions: PARTITIONS, groups: names, handler: 'eachBatch' } as const;
      sides.set(count, stack.use(await openConsumer(bench, args)));
    }
    const samples = await takeTurns(
      bench,
      'groups',
      [...sides].map(([count, side]) => ({
        name: `${count}`,
        // As many deliveries with each number of groups.
        measure: () => side.call('pass', { from: zeros(PARTITIONS), to, times: MOST / count }),
      })),
    );
    const peaksMiB = await Promise.all([...sides.values()].map((side) => side.call('peakRssMiB')));
    const note = `highest resident sets of the workers with ${GROUPS.join(', ')} groups: ${peaksMiB.map((mib) => Math.round(mib)).join(', ')} MiB`;
    const values = (count: number): number[] => costUs(samples[`${count}`] ?? []);
    return GROUPS.slice(1).map((count) =>
      compareTurns(
        {
          id: `groups-${count}`,
          measure: `cost of a delivered record with ${count} groups / with 1`,
          unit: 'µs of processor time',
          target: FLAT,
          note,
          costs: costsOf(samples, `${count}`, '1'),
          settings: {
            millrace: `eachBatch, all groups in one process; ${records} records, consumed ${MOST / count} times by each of ${count} groups; ${PARTITIONS} partitions`,
          },
        },
        { name: `${count} groups`, values: values(count) },
        { name: '1 group', values: values(1) },
      ),
    );
  },
};
