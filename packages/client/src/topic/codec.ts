/**
 * How a value becomes bytes and comes back. Codecs are plain objects without I/O, so users write their own in four
 * lines; the three that nearly everybody needs are here.
 */
import { isUtf8 } from 'node:buffer';
import { CodecError } from './codec-error.ts';
import { parseJson } from './parse-json.ts';

/** What can be stored as it is: text is stored as UTF-8. */
export type StoredValue = Uint8Array | string;

/**
 * `Input` is what `send` takes, `Output` is what a consumer gets. Both functions may throw: `send` then rejects with
 * `INVALID_RECORD`, and a consumer gets `UNDECODABLE_RECORD`. `null` (a tombstone) never reaches a codec.
 */
export interface Codec<Output, Input = Output> {
  encode(value: Input): StoredValue;
  /** The bytes are a view into a larger buffer that is not reused: keep it as long as you like. */
  decode(bytes: Buffer): Output;
}

/** Bytes as they are. */
export function bytes(): Codec<Buffer, Uint8Array> {
  return BYTES;
}

/** UTF-8 text. Bytes that are no valid UTF-8 are refused, not replaced. */
export function string(): Codec<string> {
  return STRING;
}

/** JSON. `V` is taken on trust; use a Standard Schema instead where producers and consumers are not one program. */
export function json<V>(): Codec<V> {
  return JSON_CODEC as Codec<V>;
}

/** Throws CodecError where the value has no JSON form, or one that holds nothing of it. */
export function stringifyJson(value: unknown): string {
  if (
    value instanceof Map ||
    value instanceof Set ||
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer
  ) {
    throw new CodecError(`a value of class ${value.constructor.name} has no JSON form`);
  }
  let text: string | undefined;
  try {
    // The declaration says string; for undefined, functions and symbols it is undefined.
    text = JSON.stringify(value) as string | undefined;
  } catch {
    throw new CodecError('it has no JSON form: it holds itself, a BigInt, or a toJSON that throws');
  }
  if (text === undefined) throw new CodecError(`a value of type ${typeof value} has no JSON form`);
  return text;
}

/** Throws CodecError for bytes that are not UTF-8. */
export function decodeText(stored: Buffer): string {
  if (!isUtf8(stored)) throw new CodecError('not valid UTF-8');
  return stored.toString('utf8');
}

const BYTES: Codec<Buffer, Uint8Array> = {
  encode: (value) => {
    if (!(value instanceof Uint8Array)) throw new CodecError(`expected a Uint8Array, got ${typeof value}`);
    return value;
  },
  decode: (stored) => stored,
};

const STRING: Codec<string> = {
  encode: (value) => {
    if (typeof value !== 'string') throw new CodecError(`expected a string, got ${typeof value}`);
    return value;
  },
  decode: decodeText,
};

const JSON_CODEC: Codec<unknown> = {
  encode: stringifyJson,
  decode: (stored) => parseJson(decodeText(stored)),
};
