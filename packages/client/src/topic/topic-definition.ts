/**
 * Typed topics: what a topic's values are, said once and used by producers and consumers. A definition is no I/O and
 * creates nothing; the topic itself comes from `admin.createTopic`.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ConfigError, parseName } from '@millrace/core';
import { describeValue } from '../options/describe-value.ts';
import { verifyOptionNames, type OptionNames } from '../options/verify-option-names.ts';
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
/** Throws `INVALID_NAME` or `INVALID_OPTION` (ConfigError). */
export function topic(
  name: string,
  options: TopicOptions<Codec<unknown, never> | StandardSchemaV1, never> = {},
): AnyTopicDefinition {
  parseName('topic', name);
  verifyOptionNames('topic() option', options, OPTION_NAMES);
  const { value, key } = options;
  if (key !== undefined && typeof key !== 'function')
    throw new ConfigError(
      'INVALID_OPTION',
      `topic() option "key" must be a function, not ${describeValue(key)}`,
    );
  return { name, value: valueCodec(value), key };
}

const OPTION_NAMES: OptionNames<Required<TopicOptions<unknown, never>>> = { value: true, key: true };

/** How values of a topic without a definition are stored. */
export const PLAIN_CODEC: Codec<Buffer, PlainValue> = {
  encode: (value) =>
    typeof value === 'string' || value instanceof Uint8Array ? value : stringifyJson(value),
  decode: (stored) => stored,
};

function valueCodec(value: Codec<unknown, never> | StandardSchemaV1 | undefined): ValueCodec<unknown, never> {
  if (value === undefined) return PLAIN_CODEC;
  // Some libraries have schemas that are functions.
  if ((typeof value === 'object' || typeof value === 'function') && (value as unknown) !== null) {
    if ('~standard' in value) return new SchemaCodec(value);
    if (typeof value.encode === 'function' && typeof value.decode === 'function') return value;
  }
  throw new ConfigError(
    'INVALID_OPTION',
    'topic() option "value" must be a codec (json(), string(), bytes(), or an object with encode and decode) or a ' +
      `Standard Schema, not ${describeValue(value)}`,
  );
}
