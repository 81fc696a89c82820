import { expect, test } from 'vitest';
import { describeKind, describeValue } from './describe-value.ts';

test.each<[unknown, string, string]>([
  ['5', '"5"', 'a string'],
  [5, '5', 'a number'],
  [Number.NaN, 'NaN', 'a number'],
  [5n, '5n', 'a bigint'],
  [true, 'true', 'a boolean'],
  [null, 'null', 'null'],
  [undefined, 'undefined', 'undefined'],
  [['secret'], 'a list', 'a list'],
  [{ secret: 1 }, 'an object', 'an object'],
  // String() of it throws.
  [Object.create(null), 'an object', 'an object'],
  [Symbol('secret'), 'a symbol', 'a symbol'],
  [() => 'secret', 'a function', 'a function'],
])('%o', (value, shown, kind) => {
  expect([describeValue(value), describeKind(value)]).toEqual([shown, kind]);
});
