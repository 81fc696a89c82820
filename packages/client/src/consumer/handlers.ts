/** What users pass to `run()`, and what their functions get. */
import type { ConsumerRecord } from './consumer-record.ts';

/** Functions are properties: they may be taken out of it, `({ batch, resolveOffset }) => …`. */
interface Delivery {
  /** Fencing token of this ownership. Rises with every owner; give it to what you write to. */
  readonly epoch: number;
  /** Aborts when the partition is lost, or when it has to be given up and the handler is past `drainTimeoutMs`. */
  readonly signal: AbortSignal;
  /** Stops delivery of this partition before the next record; returns the function that resumes it. */
  readonly pause: () => () => void;
}

export interface EachRecord<V> extends Delivery {
  readonly topic: string;
  readonly partition: number;
  readonly record: ConsumerRecord<V>;
}

export interface RecordBatch<V> {
  readonly topic: string;
  readonly partition: number;
  /** At least one, in order, without a gap. */
  readonly records: readonly ConsumerRecord<V>[];
  readonly firstOffset: number;
  readonly lastOffset: number;
}

export interface EachBatch<V> extends Delivery {
  readonly batch: RecordBatch<V>;
  /** Marks everything up to and with this offset as processed: what follows a failure begins behind it. */
  readonly resolveOffset: (offset: number) => void;
  /** Commits what is resolved, now. */
  readonly commit: () => Promise<void>;
  /** True once the partition is not ours any more, was sought, or has to be given up: return soon. */
  readonly isStale: () => boolean;
}

export type EachRecordHandler<V> = (delivery: EachRecord<V>) => Promise<void> | void;
export type EachBatchHandler<V> = (delivery: EachBatch<V>) => Promise<void> | void;

/** One of the two. A handler that throws is called again with the same record or batch, after a backoff. */
export type Handlers<V> =
  | { readonly eachRecord: EachRecordHandler<V>; readonly eachBatch?: never }
  | { readonly eachBatch: EachBatchHandler<V>; readonly eachRecord?: never };
