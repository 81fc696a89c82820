import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unzigzag, VarintReader, varintBytes, writeVarint, zigzag } from './varint.ts';

const MAX = Number.MAX_SAFE_INTEGER;

function written(value: number): Uint8Array {
  const target = new Uint8Array(16);
  return target.subarray(0, writeVarint(target, 0, value));
}

function read(bytes: Uint8Array): number {
  return new VarintReader(bytes, 0, bytes.length).next();
}

test.each([
  [0, [0]],
  [127, [0x7f]],
  [128, [0x80, 0x01]],
  [300, [0xac, 0x02]],
  [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
  [MAX, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
])('%i is written as LEB128', (value, bytes) => {
  expect([...written(value)]).toEqual(bytes);
});

test('what is written is read, and takes the bytes that were announced', () => {
  const edges = [...Array(53).keys()].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]);
  for (const value of edges) expect(read(written(value))).toBe(value);
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const bytes = written(value);
      expect(bytes.length).toBe(varintBytes(value));
      expect(read(bytes)).toBe(value);
    }),
  );
});

test('zigzag keeps every number, small ones of either sign short', () => {
  expect([0, -1, 1, -2, 2].map(zigzag)).toEqual([0, 1, 2, 3, 4]);
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 48), max: 2 ** 48 }), (value) => {
      expect(unzigzag(zigzag(value))).toBe(value);
    }),
  );
});

test.each([
  ['nothing', []],
  ['an end inside', [0x80]],
  ['an end inside, later', [0xff, 0xff, 0xff]],
  ['more than a safe integer', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
  ['ten bytes', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ['zeros without an end', Array.from({ length: 20 }, () => 0x80)],
  ['a longer form than needed', [0x81, 0x00]],
])('%s is no varint', (_, bytes) => {
  expect(read(Uint8Array.from(bytes))).toBe(-1);
});

test('does not read beyond its end', () => {
  const bytes = Uint8Array.from([0x01, 0x80, 0x01]);
  const reader = new VarintReader(bytes, 0, 2);
  expect([reader.next(), reader.next(), reader.next()]).toEqual([1, -1, -1]);
});
