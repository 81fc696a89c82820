/**
 * Where records without a key go: all to one partition until its batch is sent, then to another one. Spreading every
 * single record instead would make as many small batches as there are partitions (KIP-480 measured half the latency
 * at a given load). A round-robin of batches was rejected: producers that start together would move in step.
 */
import type { Random } from '../ports/clock.ts';

export interface StickyPartitioner {
  /** The partition that the topic's keyless records go to at present. */
  partitionFor(topic: string, partitions: number): number;
  /**
   * The batch for `partition` was closed: keyless records move on, to any other partition with equal chance. A
   * partition that keyless records do not go to (its batch held keyed ones) changes nothing.
   */
  batchClosed(topic: string, partition: number): void;
}

interface StickyChoice {
  partition: number;
  /** The partition to stay away from when the next choice is made, -1 for none. */
  previous: number;
}

const NONE = -1;

export function createStickyPartitioner(random: Pick<Random, 'next'>): StickyPartitioner {
  const choices = new Map<string, StickyChoice>();
  return {
    partitionFor(topic, partitions) {
      let choice = choices.get(topic);
      if (choice === undefined) {
        choice = { partition: NONE, previous: NONE };
        choices.set(topic, choice);
      }
      // A topic that was deleted and created again may have fewer partitions than before.
      if (choice.partition === NONE || choice.partition >= partitions) {
        choice.partition = choose(random, partitions, choice.previous);
      }
      return choice.partition;
    },
    batchClosed(topic, partition) {
      const choice = choices.get(topic);
      if (choice?.partition !== partition) return;
      choice.previous = partition;
      choice.partition = NONE;
    },
  };
}

/** Any of the partitions but `previous`, each with the same chance. */
function choose(random: Pick<Random, 'next'>, partitions: number, previous: number): number {
  if (previous === NONE || previous >= partitions || partitions === 1)
    return Math.floor(random.next() * partitions);
  const among = Math.floor(random.next() * (partitions - 1));
  return among < previous ? among : among + 1;
}
