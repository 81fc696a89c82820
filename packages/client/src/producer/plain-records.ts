/**
 * The records of one call that are stored as they were given (bytes, text, tombstones), while they are put into batches
 * within the call: one object serves all of them. What has to wait, or to be encoded, or may be wrong, goes through
 * encode-records.ts, which keeps what it read.
 */
import { PLAIN_CODEC } from '../topic/topic-definition.ts';
import { fitsForSure, type EncodedRecord, type RecordFormat } from './encode-records.ts';
import type { ProducerRecord } from './producer.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class PlainRecords {
  /** The highest partition that a record names, -1 for none. */
  readonly highestPartition: number;
  readonly #records: readonly ProducerRecord<unknown>[];
  readonly #nowMs: number;
  readonly #current: Mutable<EncodedRecord>;

  private constructor(records: readonly ProducerRecord<unknown>[], nowMs: number) {
    this.#records = records;
    this.#nowMs = nowMs;
    this.#current = { key: null, value: null, headers: undefined, timestampMs: nowMs, partition: undefined };
    this.highestPartition = this.#verify();
  }

  /** Null where not all of them are plain and valid beyond doubt. `nowMs`: of records without a timestamp. */
  static of(
    format: RecordFormat,
    records: readonly ProducerRecord<unknown>[],
    nowMs: number,
  ): PlainRecords | null {
    if (format.value !== PLAIN_CODEC || format.key !== undefined || !Array.isArray(records)) return null;
    const plain = new PlainRecords(records, nowMs);
    return plain.highestPartition === UNFIT ? null : plain;
  }

  get length(): number {
    return this.#records.length;
  }

  /** The same object each time: to be used before the next is asked for. Undefined behind the last. */
  at(index: number): EncodedRecord | undefined {
    if (index >= this.#records.length) return undefined;
    // A single one was read when it was verified.
    if (this.#records.length > 1) this.#read(this.#records[index] as ProducerRecord<EncodedRecord['value']>);
    return this.#current;
  }

  #verify(): number {
    let highest = -1;
    for (const record of this.#records) {
      if (!isPlain(record)) return UNFIT;
      this.#read(record);
      const { partition } = this.#current;
      if (partition !== undefined) {
        if (!Number.isSafeInteger(partition) || partition < 0) return UNFIT;
        if (partition > highest) highest = partition;
      }
      if (!fitsForSure(this.#current)) return UNFIT;
    }
    return highest;
  }

  #read(record: ProducerRecord<EncodedRecord['value']>): void {
    const current = this.#current;
    current.key = record.key ?? null;
    current.value = record.value;
    current.headers = record.headers;
    current.timestampMs = record.timestampMs ?? this.#nowMs;
    current.partition = record.partition;
  }
}

/** In the place of the highest partition. */
const UNFIT = -2;

function isPlain(record: ProducerRecord<unknown>): record is ProducerRecord<EncodedRecord['value']> {
  // Users without TypeScript pass anything.
  if (typeof record !== 'object' || (record as unknown) === null) return false;
  const { value } = record;
  return typeof value === 'string' || value === null || value instanceof Uint8Array;
}
