/**
 * A topic's entry in the catalogue: the JSON under its name in the `topics` hash. Creating and deleting touch many
 * slots and can stop half-way, so the entry says what is going on; whoever comes next finishes it.
 */
import { DataError } from '@millrace/core';

export interface CatalogueEntry {
  readonly partitions: number;
  /** By the server's clock, milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Fresh for every creation. The logs of the partitions carry it too, and are only deleted under it. */
  readonly incarnation: string;
  /**
   * `creating`: some partitions may not be there yet. `deleting`: some may be gone already. Neither is a topic to
   * anybody but its creators and deleters. Absent in the JSON of an `active` one.
   */
  readonly state: 'creating' | 'active' | 'deleting';
}

export function encodeEntry({ partitions, createdAtMs, incarnation, state }: CatalogueEntry): string {
  return JSON.stringify({ partitions, createdAtMs, incarnation, ...(state === 'active' ? {} : { state }) });
}

/** Throws DataError `CORRUPT_CATALOGUE`: to take the topic for absent would make its consumers let go of it. */
export function decodeEntry(topic: string, json: string): CatalogueEntry {
  let entry: unknown;
  try {
    entry = JSON.parse(json);
  } catch (error) {
    throw corrupt(topic, error);
  }
  if (typeof entry !== 'object' || entry === null) throw corrupt(topic);
  const {
    partitions,
    createdAtMs,
    incarnation,
    state = 'active',
  } = entry as Record<keyof CatalogueEntry, unknown>;
  const isValid =
    typeof partitions === 'number' &&
    Number.isInteger(partitions) &&
    partitions > 0 &&
    typeof createdAtMs === 'number' &&
    typeof incarnation === 'string' &&
    (state === 'creating' || state === 'active' || state === 'deleting');
  if (!isValid) throw corrupt(topic);
  return { partitions, createdAtMs, incarnation, state };
}

function corrupt(topic: string, cause?: unknown): DataError {
  return new DataError(
    'CORRUPT_CATALOGUE',
    `the catalogue entry of topic "${topic}" cannot be read: field "${topic}" of the topics hash must be JSON with ` +
      'partitions, createdAtMs and incarnation',
    { details: { topic }, cause },
  );
}
