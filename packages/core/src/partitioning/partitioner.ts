/**
 * Which partition a record goes to. A key always goes to the same partition while the number of partitions stays;
 * records without a key go where the batch of the moment is (see sticky-partitioner.ts).
 */
import { murmur2 } from './murmur2.ts';

export interface PartitionerInput {
  readonly topic: string;
  /** The key as it is stored: a string key is its UTF-8 bytes. */
  readonly key: Uint8Array;
  /** How many partitions the topic has now; at least 1. */
  readonly partitions: number;
}

/**
 * Returns a partition from 0 to `partitions` - 1. It must depend on nothing but its input: the order of the records
 * of one key rests on all producers agreeing. Only asked for records that have a key and name no partition.
 */
export type Partitioner = (input: PartitionerInput) => number;

/** The placement of Kafka's Java client: the hash without its sign bit, modulo the number of partitions. */
export const defaultPartitioner: Partitioner = ({ key, partitions }) =>
  (murmur2(key) & 0x7fffffff) % partitions;
