/** Partitions that users name by hand. Taken as they come, a misspelled one would be a partition that never exists. */
import { ConfigError } from '@millrace/core';
import { describeKind, describeValue } from './describe-value.ts';

interface Named {
  readonly topic: string;
  readonly partition: number;
}

/** `call` begins the message. Throws `INVALID_OPTION` (ConfigError). */
export function verifyPartitions(call: string, partitions: readonly Named[]): void {
  const given: unknown = partitions;
  if (!Array.isArray(given)) {
    throw new ConfigError(
      'INVALID_OPTION',
      `${call}: it takes a list of partitions, each { topic, partition }, not ${describeKind(given)}`,
    );
  }
  for (const named of partitions) verifyPartition(call, named);
}

/** `call` begins the message. Throws `INVALID_OPTION` (ConfigError). */
export function verifyPartition(call: string, named: unknown): void {
  // Users without TypeScript pass anything.
  const { topic, partition } = (named as Partial<Named> | null | undefined) ?? {};
  if (typeof topic === 'string' && Number.isSafeInteger(partition) && Number(partition) >= 0) return;
  throw new ConfigError(
    'INVALID_OPTION',
    `${call}: a partition is { topic, partition }, a name and an integer from 0, ` +
      `not topic ${describeValue(topic)}, partition ${describeValue(partition)}`,
  );
}
