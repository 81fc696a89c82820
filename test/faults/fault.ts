/** One row of the fault matrix, as data and one function. The functions are in `rows/`, the table itself in `matrix.ts`. */
import type { AckClass, MayLose } from '@millrace/testkit';
import type { Stage } from './world/stage.ts';

export const TOPOLOGIES = ['single', 'sentinel', 'cluster'] as const;
export type TopologyName = (typeof TOPOLOGIES)[number];

export interface Fault {
  /** As `--fault` takes it. */
  readonly name: string;
  /** One line for people. */
  readonly what: string;
  /** Where it means something. */
  readonly topologies: readonly TopologyName[];
  /** What may be gone afterwards, if everybody whom it concerns was told. */
  readonly mayLose: MayLose;
  /** Acknowledgements that it must not take back, whatever `mayLose` says. */
  readonly survivedBy: readonly AckClass[];
  /** From its begin to the first delivery by the next owner, ms. */
  readonly resumeBoundMs: number;
  /** `none`: not one record is delivered twice. `window`: what was not committed yet. */
  readonly redelivery: 'none' | 'window';
  /** Breaks something through `stage.inject`, and mends it. */
  run(stage: Stage): Promise<void>;
}

export const ALL_ACKS: readonly AckClass[] = ['memory', 'replicated', 'fsynced'];
