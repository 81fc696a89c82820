/**
 * Typed topics: what a topic's values are, said once and used by producers and consumers. A definition is no I/O and
 * creates nothing; the topic itself comes from `admin.createTopic`.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { parseName } from '@millrace/core';
import { stringifyJson, type Codec, type StoredValue } from './codec.ts';
import { SchemaCodec } from './schema-codec.ts';

/** Codec of a topic's values; asynchronous where a schema's validator is. */
export interface ValueCodec<Output, Input> {
  encode(value: Input): StoredValue | Promise<StoredValue>;
  decode(bytes: Buffer): Output | Promise<Output>;
}

/** Key of a record, from its value. `null` for records without one. */
export type KeyOf<Input> = (value: Input) => string | Uint8Array | null;

/** `Input` is what `send` takes, `Output` what consumers get. Made by `topic()`. */
export interface TopicDefinition<Output, Input = Output> {
  readonly name: string;
  readonly value: ValueCodec<Output, Input>;
  readonly key?: KeyOf<Input> | undefined;
}

/** Any definition at all; what `Output` and `Input` are is asked with `ValueOf`. */
export type AnyTopicDefinition = TopicDefinition<unknown, never>;

/** What a consumer subscribes to: a topic by name, all topics that a pattern matches, or a typed topic. */
export type TopicSelector = string | RegExp | AnyTopicDefinition;

/** Type of `record.value` of what a selector selects. `null` is a tombstone. */
export type ValueOf<T> = T extends TopicDefinition<infer Output, never> ? Output | null : Buffer | null;

/**
 * A value for a topic without a definition: bytes and text are stored as they are, everything else as JSON. Wider than
 * JSON, because TypeScript cannot tell an interface from an index signature; what has no JSON form is refused.
 */
export type PlainValue = Uint8Array | string | number | boolean | object;

export interface TopicOptions<V, Input> {
  /** A codec, or any Standard Schema: then values are JSON, validated when sent and when received. Default: bytes. */
  readonly value?: V;
  /** Used for records that are sent without `key`. */
  readonly key?: KeyOf<Input>;
}

export function topic<Output, Input = Output>(
  name: string,
  options: TopicOptions<Codec<Output, Input>, Input> & { readonly value: Codec<Output, Input> },
): TopicDefinition<Output, Input>;
export function topic<Schema extends StandardSchemaV1>(
  name: string,
  options: TopicOptions<Schema, StandardSchemaV1.InferInput<Schema>> & { readonly value: Schema },
): TopicDefinition<StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>>;
export function topic(
  name: string,
  options?: { readonly key?: KeyOf<PlainValue> },
): TopicDefinition<Buffer, PlainValue>;
/** Throws `INVALID_NAME` (ConfigError). */
export function topic(
  name: string,
  options: TopicOptions<Codec<unknown, never> | StandardSchemaV1, never> = {},
): AnyTopicDefinition {
  return { name: parseName('topic', name), value: valueCodec(options.value), key: options.key };
}

/** How values of a topic without a definition are stored. */
export const PLAIN_CODEC: Codec<Buffer, PlainValue> = {
  encode: (value) =>
    typeof value === 'string' || value instanceof Uint8Array ? value : stringifyJson(value),
  decode: (stored) => stored,
};

function valueCodec(value: Codec<unknown, never> | StandardSchemaV1 | undefined): ValueCodec<unknown, never> {
  if (value === undefined) return PLAIN_CODEC;
  return '~standard' in value ? new SchemaCodec(value) : value;
}
