/** The consumer's side of a topic's codec: from a stored record to a value, or to an error that says which record. */
import { DataError } from '@millrace/core';
import { describeCause } from './codec-error.ts';
import type { AnyTopicDefinition } from './topic-definition.ts';

export interface StoredRecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * `null` stays `null`. Throws, or rejects where the codec is asynchronous, with `UNDECODABLE_RECORD` (DataError) that
 * names topic, partition and offset and shows nothing of the record.
 */
export function decodeValue(
  definition: AnyTopicDefinition,
  stored: Buffer | null,
  place: StoredRecordPlace,
): unknown {
  if (stored === null) return null;
  try {
    const value = definition.value.decode(stored);
    return value instanceof Promise
      ? value.catch((error: unknown) => Promise.reject(undecodable(place, error)))
      : value;
  } catch (error) {
    throw undecodable(place, error);
  }
}

function undecodable(place: StoredRecordPlace, cause: unknown): DataError {
  const { topic, partition, offset } = place;
  return new DataError(
    'UNDECODABLE_RECORD',
    `record ${offset} of ${topic}/${partition} is not what the topic's definition says: ` +
      `${describeCause(cause)}; it was not skipped`,
    { cause, details: { topic, partition, offset } },
  );
}
