/** A record as handlers get it. The value is decoded when it is asked for, so that unread ones cost nothing. */
import type { BatchRecord } from '@millrace/redis';

export class ConsumerRecord<V = Buffer | null> {
  readonly topic: string;
  readonly partition: number;
  /** Clock of the Redis server at the append, milliseconds since 1970. */
  readonly appendedMs: number;
  /** Decoded by the topic's codec; the bytes themselves (null for a tombstone) where the topic has none. */
  readonly value: V;
  readonly #record: BatchRecord;

  constructor(topic: string, partition: number, appendedMs: number, record: BatchRecord, value: V) {
    this.topic = topic;
    this.partition = partition;
    this.appendedMs = appendedMs;
    this.#record = record;
    this.value = value;
  }

  get offset(): number {
    return this.#record.offset;
  }

  get key(): Buffer | null {
    return this.#record.key;
  }

  get headers(): Readonly<Record<string, Buffer>> {
    return this.#record.headers;
  }

  /** As the producer gave it, milliseconds since 1970. */
  get timestampMs(): number {
    return this.#record.timestampMs;
  }

  /** The stored value as UTF-8 text; null for a tombstone. */
  text(): string | null {
    return this.#record.value?.toString('utf8') ?? null;
  }

  /** The stored value parsed as JSON; null for a tombstone. Throws SyntaxError when it is none. */
  json(): unknown {
    const text = this.text();
    return text === null ? null : (JSON.parse(text) as unknown);
  }
}
