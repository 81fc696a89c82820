/** Whether assignment and reconciliation grow with the number of partitions, and not faster. */
import type { Assigning } from '../peers/assignor.ts';
import { compare, type BenchRow } from '../report/row.ts';
import { startSide } from '../run/side-process.ts';
import type { RowDefinition } from './row-definition.ts';

const SIZES = [1_000, 10_000, 100_000] as const;
/** 1 is linear; what no longer fits the caches costs more, and n log n would be 1.2 to 1.3 a step. */
const LINEAR = { atMost: 1.5 };

export const assignment: RowDefinition = {
  id: 'assignment',
  title: 'assignment and reconciliation',
  steps: ({ rounds }) => (rounds + 1) * SIZES.length,
  async run(bench) {
    await using side = await startSide<Assigning>('assignor');
    const found = new Map(SIZES.map((size) => [size, { assign: [] as number[], reconcile: [] as number[] }]));
    for (let round = 0; round <= bench.rounds; round++) {
      for (const size of SIZES) {
        bench.progress.begin(`assignment: ${size} partitions`);
        const { assignNs, reconcileNs } = await side.call('measure', { partitions: size });
        if (round === 0) continue;
        found.get(size)?.assign.push(assignNs);
        found.get(size)?.reconcile.push(reconcileNs);
      }
    }
    const settings = {
      assign: 'sticky, 10 topics, 100 partitions a member, when one more member joins',
      reconcile: 'one member that owns all partitions, a tenth of them exchanged',
    };
    return (['assign', 'reconcile'] as const).flatMap((what) =>
      (
        [
          [10_000, 1_000],
          [100_000, 10_000],
        ] as const
      ).map(([large, small]): BenchRow => {
        const measured = (size: (typeof SIZES)[number]) => ({
          name: `${size.toLocaleString('en')} partitions`,
          values: found.get(size)?.[what] ?? [],
        });
        return compare(
          {
            id: `assignment-${what}/${large}`,
            measure: `${what === 'assign' ? 'sticky assignment' : 'one reconcile'}: cost of a partition with ${large.toLocaleString('en')} / ${small.toLocaleString('en')}`,
            unit: 'ns of processor time',
            target: LINEAR,
            settings: { millrace: settings[what] },
          },
          measured(large),
          measured(small),
        );
      }),
    );
  },
};
