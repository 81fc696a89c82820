/** What a verdict is based on: what the sink wrote down, what was sent, and what git says. */
import type { Tree } from '../history/change.ts';

interface EntryBase {
  readonly epoch: number;
  readonly worker: string;
  /** Clock of the Redis server, milliseconds since 1970, with fractions. */
  readonly atMs: number;
}

/** One line of a partition's history, in the order in which the sink let it in. */
export type SinkEntry =
  | (EntryBase & { readonly type: 'opened' })
  | (EntryBase & {
      readonly type: 'applied';
      readonly offset: number;
      /** When the record got into the log, by the same clock. */
      readonly appendedMs: number;
    });

export interface PartitionHistory {
  readonly partition: number;
  readonly entries: readonly SinkEntry[];
  /** Writes that the sink refused because a newer owner had written. */
  readonly refused: number;
  /** Number of records that the partition's log holds; their offsets are 0 … logEnd - 1. */
  readonly logEnd: number;
}

export interface Kill {
  readonly worker: string;
  /** Just before the signal was sent; the clock of the Redis server, as in the history. */
  readonly atMs: number;
}

export interface Evidence {
  readonly partitions: readonly PartitionHistory[];
  readonly kills: readonly Kill[];
  readonly expectedTree: Tree;
  readonly actualTree: Tree;
  /** Records that the producer had acknowledged. */
  readonly acknowledged: number;
  /** Changes that the history holds. */
  readonly changes: number;
}
