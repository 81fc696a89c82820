/**
 * JSON that a Standard Schema (zod, valibot, arktype, …) validates when it is sent and again when it is received:
 * producers and consumers are deployed at different times, so neither trusts the other.
 *
 * Stored is the JSON of what was given to `send`, not of the validator's output: an output need not be valid input
 * (a schema that turns text into numbers), and every consumer validates what is stored. For the same reason `send`
 * validates what a consumer will see, the value after its way through JSON: a `Date` is a string by then, and a schema
 * that does not take one is found out at the producer instead of at every consumer.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { CodecError } from './codec-error.ts';
import { decodeText, stringifyJson, type StoredValue } from './codec.ts';
import { parseJson } from './parse-json.ts';

type Validation<Output> = StandardSchemaV1.Result<Output>;

export class SchemaCodec<Output, Input> {
  readonly #schema: StandardSchemaV1<Input, Output>;

  constructor(schema: StandardSchemaV1<Input, Output>) {
    this.#schema = schema;
  }

  encode(value: Input): StoredValue | Promise<StoredValue> {
    const text = stringifyJson(value);
    const validation = this.#schema['~standard'].validate(parseJson(text));
    if (!(validation instanceof Promise)) return accept(validation, text);
    return validation.then((result) => accept(result, text));
  }

  decode(bytes: Buffer): Output | Promise<Output> {
    const validation = this.#schema['~standard'].validate(parseJson(decodeText(bytes)));
    return validation instanceof Promise ? validation.then(outputOf) : outputOf(validation);
  }
}

/**
 * What a validator found. The message names the places only, because validators quote the values in theirs; `issues`
 * has it all and is not enumerable, so that printing or logging the error does not show a payload.
 */
export class ValidationError extends CodecError {
  override readonly name = 'ValidationError';
  declare readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(issues: readonly StandardSchemaV1.Issue[]) {
    super(`invalid at ${[...new Set(issues.map(formatPath))].join(', ')}`);
    Object.defineProperty(this, 'issues', { value: issues, enumerable: false });
  }
}

function accept(validation: Validation<unknown>, text: string): StoredValue {
  outputOf(validation);
  return text;
}

function outputOf<Output>(validation: Validation<Output>): Output {
  if (validation.issues) throw new ValidationError(validation.issues);
  return validation.value;
}

/** `items[0].price`; `(root)` for the value itself. */
function formatPath(issue: StandardSchemaV1.Issue): string {
  let path = '';
  for (const segment of issue.path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'number') path += `[${key}]`;
    else path += path === '' ? String(key) : `.${String(key)}`;
  }
  return path === '' ? '(root)' : path;
}
