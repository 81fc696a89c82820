/**
 * A topic's entry in the catalogue: the JSON under its name in the `topics` hash. Creating and deleting touch many
 * slots and can stop half-way, so the entry says what is going on; whoever comes next finishes it.
 */
import { DataError, type VersionedLimits } from '@millrace/core';

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
  /** Absent where none were ever set. In the JSON the limits stand beside their `version`. */
  readonly limits?: VersionedLimits | undefined;
}

export function encodeEntry(entry: CatalogueEntry): string {
  const { partitions, createdAtMs, incarnation, state, limits } = entry;
  return JSON.stringify({
    partitions,
    createdAtMs,
    incarnation,
    ...(limits === undefined ? {} : { limits: { version: limits.version, ...limits.limits } }),
    ...(state === 'active' ? {} : { state }),
  });
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
    limits: stored,
  } = entry as Record<keyof CatalogueEntry, unknown>;
  const isValid =
    typeof partitions === 'number' &&
    Number.isInteger(partitions) &&
    partitions > 0 &&
    typeof createdAtMs === 'number' &&
    typeof incarnation === 'string' &&
    (state === 'creating' || state === 'active' || state === 'deleting');
  if (!isValid) throw corrupt(topic);
  const limits = decodeLimits(stored);
  if (limits === null) throw corrupt(topic);
  return { partitions, createdAtMs, incarnation, state, ...(limits === undefined ? {} : { limits }) };
}

/** Null: there are some, and they cannot be read. */
function decodeLimits(stored: unknown): VersionedLimits | null | undefined {
  if (stored === undefined) return undefined;
  if (typeof stored !== 'object' || stored === null) return null;
  const { version, ...limits } = stored as Record<string, unknown>;
  const { maxRecords, maxBytes, maxAgeMs, onFull, trimCommittedAfterMs } = limits;
  const isValid =
    isCount(version) &&
    [maxRecords, maxBytes, maxAgeMs].every((limit) => limit === undefined || isCount(limit)) &&
    (onFull === undefined || onFull === 'refuse' || onFull === 'trim') &&
    (trimCommittedAfterMs === undefined || trimCommittedAfterMs === 'never' || isCount(trimCommittedAfterMs));
  return isValid ? { version, limits } : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function corrupt(topic: string, cause?: unknown): DataError {
  return new DataError(
    'CORRUPT_CATALOGUE',
    `the catalogue entry of topic "${topic}" cannot be read: field "${topic}" of the topics hash must be JSON with ` +
      'partitions, createdAtMs and incarnation',
    { details: { topic }, cause },
  );
}
