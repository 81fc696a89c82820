/** What a row of the bench is: measurements that belong together, on one fixture, and the comparisons they give. */
import type { Bench } from '../run/bench.ts';
import type { BenchRow } from '../report/row.ts';

export interface RowDefinition {
  /** For `--only`. */
  readonly id: string;
  readonly title: string;
  /** Measurements, for the progress bar; a rough number does. */
  steps(bench: Bench): number;
  /** Leaves no process behind; what it wrote to the server is cleared by whoever calls it. */
  run(bench: Bench): Promise<readonly BenchRow[]>;
}
