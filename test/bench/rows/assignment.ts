/**
 * Whether assignment and reconciliation grow with the number of partitions, and not faster. A reconcile is work on sets of
 * names, and those cost more per name when they no longer fit the caches: it is told as a multiple of
 * making one set and looking all of its names up in another.
 */
import type { Assigning } from '../peers/assignor.ts';
import { median } from '../median.ts';
import { compareTurns, type BenchRow } from '../report/row.ts';
import { startSide } from '../run/side-process.ts';
import type { RowDefinition } from './row-definition.ts';

const SIZES = [1_000, 10_000, 100_000] as const;
type Size = (typeof SIZES)[number];
/** For ten times as many: 1 is linear, n log n would be 1.25 to 1.33, what is quadratic 10. */
const LINEAR = { atMost: 1.5 };

interface Found {
  readonly assignNs: number[];
  readonly reconcileNs: number[];
  readonly reconcileSets: number[];
}

export const assignment: RowDefinition = {
  id: 'assignment',
  title: 'assignment and reconciliation',
  steps: ({ rounds }) => (rounds + 1) * SIZES.length,
  async run(bench) {
    await using side = await startSide<Assigning>('assignor');
    const none = (): Found => ({ assignNs: [], reconcileNs: [], reconcileSets: [] });
    const found: Record<Size, Found> = { 1_000: none(), 10_000: none(), 100_000: none() };
    for (let round = 0; round <= bench.rounds; round++) {
      for (const size of SIZES) {
        bench.progress.begin(`assignment: ${size} partitions`);
        const { assignNs, reconcileNs, setsNs } = await side.call('measure', { partitions: size });
        if (round === 0) continue;
        found[size].assignNs.push(assignNs);
        found[size].reconcileNs.push(reconcileNs);
        found[size].reconcileSets.push(reconcileNs / setsNs);
      }
    }
    const steps = [
      [10_000, 1_000],
      [100_000, 10_000],
    ] as const;
    return steps.flatMap(([large, small]): BenchRow[] => {
      const sizes = `with ${large.toLocaleString('en')} partitions / with ${small.toLocaleString('en')}`;
      const side = (size: Size, values: readonly number[]) => ({
        name: size.toLocaleString('en'),
        values,
      });
      return [
        compareTurns(
          {
            id: `assignment-sticky/${large}`,
            measure: `sticky assignment: cost of a partition ${sizes}`,
            unit: 'ns of processor time',
            target: LINEAR,
            settings: {
              millrace: 'sticky, 10 topics, 100 partitions a member, when one more member joins',
            },
          },
          side(large, found[large].assignNs),
          side(small, found[small].assignNs),
        ),
        compareTurns(
          {
            id: `assignment-reconcile/${large}`,
            measure: `one reconcile: cost of a partition ${sizes}`,
            unit: 'times that of two Sets of the names',
            target: LINEAR,
            settings: { millrace: 'one member that owns all partitions, a tenth of them exchanged' },
            note: `${nsText(found[large])} ns of processor time a partition, and ${nsText(found[small])} ns`,
          },
          side(large, found[large].reconcileSets),
          side(small, found[small].reconcileSets),
        ),
      ];
    });
  },
};

function nsText({ reconcileNs }: Found): string {
  return Math.round(median(reconcileNs)).toLocaleString('en');
}
