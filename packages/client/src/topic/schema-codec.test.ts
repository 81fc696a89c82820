import { inspect } from 'node:util';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, test } from 'vitest';
import { SchemaCodec, type ValidationError } from './schema-codec.ts';

type Validate<Output> = StandardSchemaV1.Props<unknown, Output>['validate'];

function schema<Output>(validate: Validate<Output>): StandardSchemaV1<unknown, Output> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

/** An order whose amount travels as text and is a number for consumers: output is not valid input. */
const validateOrder: Validate<{ amount: number }> = (value) => {
  const amount = (value as { amount?: unknown }).amount;
  if (typeof amount === 'string' && amount !== '') return { value: { amount: Number(amount) } };
  return { issues: [{ message: `not an amount: ${String(amount)}`, path: ['amount'] }] };
};

const asynchronous: Validate<{ amount: number }> = async (value) => validateOrder(value);

describe.each([
  ['synchronous', validateOrder],
  ['asynchronous', asynchronous],
])('a %s validator', (_name, validate) => {
  const codec = new SchemaCodec(schema(validate));

  test('stores the input, and gives consumers the output', async () => {
    const stored = await codec.encode({ amount: '12', note: 'kept' });
    expect(stored).toBe('{"amount":"12","note":"kept"}');
    expect(await codec.decode(Buffer.from(stored as string))).toEqual({ amount: 12 });
  });

  test('refuses on both sides, naming the place and not the value', async () => {
    const refused = { name: 'ValidationError', message: 'invalid at amount' };
    const attempts = [
      async () => codec.encode({ amount: 7_777 }),
      async () => codec.decode(Buffer.from('{"amount":7777}')),
    ];
    for (const attempt of attempts) {
      const error = await attempt().then(
        () => expect.unreachable(),
        (thrown: unknown) => thrown as ValidationError,
      );
      expect(error).toMatchObject(refused);
      expect(inspect(error, { depth: 5 })).not.toContain('7777');
      expect(JSON.stringify(error)).not.toContain('7777');
      expect(error.issues[0]?.message).toContain('7777');
    }
  });
});

test('a value that JSON changes is validated as consumers will see it', () => {
  const date = new SchemaCodec(
    schema((value) => (value instanceof Date ? { value } : { issues: [{ message: 'expected a date' }] })),
  );
  expect(() => date.encode(new Date(0))).toThrow('invalid at (root)');
});

test('paths read as in code', () => {
  const issues = [
    { message: '', path: ['items', 0, { key: 'price' }] },
    { message: '', path: [{ key: 3 }] },
    { message: '', path: ['items', 0, { key: 'price' }] },
    { message: '' },
  ];
  const codec = new SchemaCodec(schema(() => ({ issues })));
  expect(() => codec.decode(Buffer.from('{}'))).toThrow('invalid at items[0].price, [3], (root)');
});

test('what is stored must be JSON', () => {
  const codec = new SchemaCodec(schema((value) => ({ value })));
  expect(() => codec.decode(Buffer.from('{'))).toThrow('not valid JSON');
});
