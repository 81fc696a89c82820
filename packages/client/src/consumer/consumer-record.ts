/**
 * A record as handlers get it: a place in its batch, and nothing else until something of it is asked for. It is the one
 * object that a delivered record costs.
 */
import { inspect } from 'node:util';
import type { DecodedBatch, RecordHeaders } from '@millrace/redis';

/** What all records of one batch share. */
export interface DeliveredBatch {
  readonly topic: string;
  readonly partition: number;
  readonly appendedMs: number;
  readonly records: DecodedBatch;
}

/** The value is not made, or not decoded, yet. No value of a user can be it. */
export const UNREAD = Symbol('unread');

/**
 * `key`, `value` and `headers` are views of the batch that the record came in, not copies: a record that is kept keeps
 * its whole batch in memory (up to 1 MiB). Copy what has to outlive the handler for long, `Buffer.from(record.value)`.
 */
export class ConsumerRecord<V = Buffer | null> {
  readonly #batch: DeliveredBatch;
  readonly #index: number;
  readonly #place: number;
  #value: V | typeof UNREAD;

  /** `value` where a codec has decoded it already. */
  constructor(batch: DeliveredBatch, index: number, place: number, value: V | typeof UNREAD) {
    this.#batch = batch;
    this.#index = index;
    this.#place = place;
    this.#value = value;
  }

  get topic(): string {
    return this.#batch.topic;
  }

  get partition(): number {
    return this.#batch.partition;
  }

  get offset(): number {
    return this.#batch.records.baseOffset + this.#index;
  }

  /** Made at every access. */
  get key(): Buffer | null {
    return this.#batch.records.key(this.#place);
  }

  /** Decoded by the topic's codec; the bytes themselves (null for a tombstone) where the topic has none. */
  get value(): V {
    // Without a codec V is what the bytes are.
    if (this.#value === UNREAD) this.#value = this.#batch.records.value(this.#place) as V;
    return this.#value;
  }

  /** Made at every access. */
  get headers(): RecordHeaders {
    return this.#batch.records.headers(this.#place);
  }

  /** As the producer gave it, milliseconds since 1970. */
  get timestampMs(): number {
    return this.#batch.records.timestampMs(this.#place);
  }

  /** Clock of the Redis server at the append, milliseconds since 1970. */
  get appendedMs(): number {
    return this.#batch.appendedMs;
  }

  /** The stored value as UTF-8 text; null for a tombstone. */
  text(): string | null {
    return this.#batch.records.text(this.#place);
  }

  /** The stored value parsed as JSON; null for a tombstone. Throws SyntaxError when it is none. */
  json(): unknown {
    const text = this.text();
    return text === null ? null : (JSON.parse(text) as unknown);
  }

  /** For logs, and for `JSON.stringify`: where the record is. What it says may be a secret, and is not shown. */
  toJSON(): { topic: string; partition: number; offset: number; timestampMs: number; appendedMs: number } {
    const { topic, partition, offset, timestampMs, appendedMs } = this;
    return { topic, partition, offset, timestampMs, appendedMs };
  }

  [inspect.custom](): string {
    return `ConsumerRecord ${inspect(this.toJSON())}`;
  }
}
