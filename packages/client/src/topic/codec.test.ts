import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytes, decodeText, json, string, stringifyJson } from './codec.ts';

const stored = (value: Uint8Array | string): Buffer => Buffer.from(value as string);

describe('codecs give back what they took', () => {
  test('bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        expect(bytes().decode(stored(bytes().encode(value)))).toEqual(Buffer.from(value));
      }),
    );
  });

  test('string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(string().decode(stored(string().encode(value)))).toBe(value);
      }),
    );
  });

  test('json', () => {
    const values = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(values, (value) => {
        const codec = json<unknown>();
        expect(codec.decode(stored(codec.encode(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

test.each([
  ['bytes', bytes(), 'text'],
  ['string', string(), 5],
])('%s refuses another type', (_name, codec, value) => {
  expect(() => codec.encode(value as never)).toThrow(expect.objectContaining({ name: 'CodecError' }));
});

test('text that is not UTF-8 is refused, not replaced', () => {
  expect(() => decodeText(Buffer.from([0x61, 0xff]))).toThrow('not valid UTF-8');
});

const circular: { self?: unknown; secret: string } = { secret: 'hunter2' };
circular.self = circular;

test.each([
  ['undefined', undefined],
  ['a function', () => 'hunter2'],
  ['a symbol', Symbol('hunter2')],
  ['a bigint inside', { amount: 1n, secret: 'hunter2' }],
  ['a circle', circular],
  ['a map, which would be {}', new Map([['hunter2', 1]])],
  ['a set, which would be {}', new Set(['hunter2'])],
  ['a buffer of another kind', new Float64Array(2)],
  ['a raw buffer', new ArrayBuffer(2)],
])('%s has no JSON form, and the error shows nothing of it', (_name, value) => {
  let thrown: unknown;
  try {
    stringifyJson(value);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ name: 'CodecError', message: expect.stringContaining('no JSON form') });
  expect(inspect(thrown)).not.toContain('hunter2');
});

test('what has no JSON form is named by its class', () => {
  expect(() => stringifyJson(new ArrayBuffer(2))).toThrow('a value of class ArrayBuffer has no JSON form');
});
