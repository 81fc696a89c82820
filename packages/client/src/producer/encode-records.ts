/**
 * From what the user gave to what is stored: keys and values as bytes or text. Everything that can be wrong with a
 * record is found here, before the first record of a call is buffered, so that a call with a bad record sends nothing.
 */
import { ConfigError } from '@millrace/core';
import {
  BatchEncoder,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  MAX_KEY_BYTES,
  MAX_RECORD_BYTES,
  type RecordInput,
} from '@millrace/redis';
import { describeKind } from '../options/describe-value.ts';
import type { StoredValue } from '../topic/codec.ts';
import { describeCause } from '../topic/codec-error.ts';
import type { KeyOf, ValueCodec } from '../topic/topic-definition.ts';
import type { ProducerRecord } from './producer.ts';

/** Of the record, its timestamp, key, value and headers, as varints. */
const MAX_LENGTHS_BYTES = 24;

type Key = string | Uint8Array | null;
type Headers = NonNullable<ProducerRecord<unknown>['headers']>;

export interface RecordFormat {
  readonly topic: string;
  readonly value: ValueCodec<unknown, never>;
  readonly key?: KeyOf<never> | undefined;
}

export interface EncodedRecord extends RecordInput {
  readonly key: Key;
  readonly partition: number | undefined;
}

/** Which record of a call is meant. One object for a whole call: a name per record would cost more than its encoding. */
interface RecordPlace {
  readonly topic: string;
  readonly count: number;
  index: number;
}

/**
 * Throws ConfigError `INVALID_RECORD` or `RECORD_TOO_LARGE`; a promise, and a rejection, where the topic's validator is
 * asynchronous. `nowMs` is the timestamp of records that have none.
 */
export function encodeRecords(
  format: RecordFormat,
  records: readonly ProducerRecord<unknown>[],
  nowMs: number,
): EncodedRecord[] | Promise<EncodedRecord[]> {
  const encoded: EncodedRecord[] = [];
  const awaited: Promise<void>[] = [];
  try {
    const place: RecordPlace = { topic: format.topic, count: records.length, index: 0 };
    for (const record of records) {
      const { index } = place;
      const value = encodeValue(format, record, place);
      if (value instanceof Promise) {
        const own = { ...place };
        const finished = value.then(
          (stored) => void (encoded[index] = encodeRecord(format, record, stored, nowMs, own)),
          (error: unknown) => Promise.reject(invalidValue(own, error)),
        );
        awaited.push(finished);
      } else {
        encoded[index] = encodeRecord(format, record, value, nowMs, place);
      }
      place.index++;
    }
  } catch (error) {
    // Nobody waits for those that are under way any more, and one of them may be invalid as well.
    for (const finished of awaited) finished.catch(() => {});
    // Asked only now, so that a call with a list has nothing to pay for it.
    throw isList(records) ? error : notAList(records);
  }
  return awaited.length === 0 ? encoded : Promise.all(awaited).then(() => encoded);
}

function isList(records: unknown): boolean {
  return typeof (records as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] === 'function';
}

function notAList(records: unknown): ConfigError {
  return new ConfigError('INVALID_OPTION', `sendBatch takes a list of records, not ${describeKind(records)}`);
}

function encodeValue(
  format: RecordFormat,
  record: ProducerRecord<unknown>,
  place: RecordPlace,
): StoredValue | null | Promise<StoredValue> {
  // Users without TypeScript pass anything.
  if (typeof record !== 'object' || (record as unknown) === null)
    throw invalid(place, 'it must be an object');
  if (record.value === null) return null;
  if (record.value === undefined) throw invalid(place, 'it has no value (null is a tombstone)');
  try {
    return format.value.encode(record.value as never);
  } catch (error) {
    throw invalidValue(place, error);
  }
}

function encodeRecord(
  format: RecordFormat,
  record: ProducerRecord<unknown>,
  value: StoredValue | null,
  nowMs: number,
  place: RecordPlace,
): EncodedRecord {
  const { partition, headers } = record;
  // The encoder would take it for a tombstone.
  if ((value as unknown) === undefined) throw invalid(place, "the topic's codec gave nothing");
  if (partition !== undefined && !(Number.isSafeInteger(partition) && partition >= 0)) {
    throw invalid(place, `its partition must be an integer from 0, not ${String(partition)}`);
  }
  const key = encodeKey(format, record, place);
  const encoded = { key, value, headers, timestampMs: record.timestampMs ?? nowMs, partition };
  if (!fitsForSure(encoded)) verifyExactly(encoded, place);
  return encoded;
}

function encodeKey(format: RecordFormat, record: ProducerRecord<unknown>, place: RecordPlace): Key {
  if (record.key !== undefined) return record.key;
  if (format.key === undefined || record.value === null) return null;
  try {
    return format.key(record.value as never);
  } catch (error) {
    throw new ConfigError('INVALID_RECORD', `${describe(place)}: the topic's key function failed`, {
      cause: error,
    });
  }
}

/**
 * Whether the encoder takes it beyond doubt, by a bound that needs no look into the text: UTF-8 takes at most three bytes
 * per UTF-16 unit.
 */
export function fitsForSure({ key, value, headers, timestampMs }: EncodedRecord): boolean {
  return (
    (key === null || atMostBytes(key) <= MAX_KEY_BYTES) &&
    (value === null || atMostBytes(value) <= MAX_RECORD_BYTES / 2) &&
    Number.isSafeInteger(timestampMs) &&
    timestampMs >= 0 &&
    timestampMs < 2 ** 47 &&
    (headers === undefined || headersFitForSure(headers))
  );
}

/** At least as many bytes as the record takes in a batch, found without a look into its text. Only of one that is valid. */
export function atMostRecordBytes({ key, value, headers }: EncodedRecord): number {
  return (
    MAX_LENGTHS_BYTES +
    (key === null ? 0 : atMostBytes(key)) +
    (value === null ? 0 : atMostBytes(value)) +
    (headers === undefined ? 0 : MAX_HEADER_BYTES)
  );
}

function headersFitForSure(headers: Headers): boolean {
  if (!areHeaders(headers)) return false;
  const entries = Object.entries(headers);
  let bytes = 0;
  for (const [name, value] of entries) bytes += atMostBytes(name) + atMostBytes(value) + 8;
  return entries.length <= MAX_HEADERS && bytes <= MAX_HEADER_BYTES;
}

/** A Map, or the Headers of a request, would be stored as no headers at all, and text as one header per letter. */
function areHeaders(headers: unknown): headers is Headers {
  return typeof headers === 'object' && headers !== null && !(Symbol.iterator in headers);
}

/** Infinity for what cannot be stored, so that the exact check finds out what it is. */
function atMostBytes(source: unknown): number {
  if (typeof source === 'string') return source.length * 3;
  if (source instanceof Uint8Array) return source.length;
  return Infinity;
}

/** The encoder knows the limits; a trial of its own says exactly what is wrong. */
function verifyExactly(record: EncodedRecord, place: RecordPlace): void {
  const { headers } = record;
  if (headers !== undefined && !areHeaders(headers))
    throw invalid(place, `its headers must be an object of names and values, not ${describeKind(headers)}`);
  try {
    new BatchEncoder().append(record);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { code, message, details } = error;
    throw new ConfigError(code as 'INVALID_RECORD' | 'RECORD_TOO_LARGE', `${describe(place)}: ${message}`, {
      details: { ...details, index: place.index },
    });
  }
}

function describe({ topic, index, count }: RecordPlace): string {
  return count === 1 ? `record for topic "${topic}"` : `record ${index} of ${count} for topic "${topic}"`;
}

function invalid(place: RecordPlace, problem: string): ConfigError {
  return new ConfigError('INVALID_RECORD', `${describe(place)}: ${problem}`, {
    details: { topic: place.topic, index: place.index },
  });
}

/** What the user's own codec or validator threw goes along as `cause`; the message is free of it, as it may quote the value. */
function invalidValue(place: RecordPlace, cause: unknown): ConfigError {
  const { topic, index } = place;
  return new ConfigError('INVALID_RECORD', `${describe(place)}: ${describeCause(cause)}`, {
    cause,
    details: { topic, index },
  });
}
