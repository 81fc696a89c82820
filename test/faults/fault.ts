/** One row of the fault matrix, as data and one function. The functions are in `rows/`, the table itself in `matrix.ts`. */
import type { AckClass, MayLose } from '@millrace/testkit';
import type { Stage } from './world/stage.ts';

export const TOPOLOGIES = ['single', 'sentinel', 'cluster'] as const;
export type TopologyName = (typeof TOPOLOGIES)[number];

export const REPLICATED: readonly TopologyName[] = ['sentinel', 'cluster'];

export interface Losses {
  /** What may be gone afterwards, if everybody whom it concerns was told. */
  readonly mayLose: MayLose;
  /** Acknowledgements that it must not take back, whatever `mayLose` says. */
  readonly survivedBy: readonly AckClass[];
}

/**
 * What a fault breaks. Of a random mixture at most one of each goes on at a time, so that no two want the same process;
 * `alone` is never mixed.
 */
export type FaultKind = 'process' | 'network' | 'server' | 'alone';

export interface Fault {
  /** As `--fault` takes it. */
  readonly name: string;
  /** One line for people. */
  readonly what: string;
  readonly kind: FaultKind;
  /** Where it means something. */
  readonly topologies: readonly TopologyName[];
  readonly losses: (topology: TopologyName) => Losses;
  /** From its begin, or for a fault that hits no single worker from its end, to the next delivery, ms. */
  readonly resumeBoundMs: number;
  /** Longest time that a partition may be without an owner, ms. Default: only what `resumeBoundMs` says. */
  readonly unownedBoundMs?: number;
  /** `none`: not one record is delivered twice. `window`: what was not committed yet. */
  readonly redelivery: 'none' | 'window';
  /** Breaks something through `stage.inject`, and mends it. */
  run(stage: Stage): Promise<void>;
}
