import { expect, test } from 'vitest';
import { giveBack } from './give-back.ts';

test.for([
  ['all of its memory', 0, 65_536, true],
  ['most of it, from the start', 0, 40_000, true],
  ['half of it', 0, 32_768, false],
  ['a part of it', 0, 16_384, false],
  ['most of it, from elsewhere', 1, 60_000, false],
] as const)('%s', ([, at, bytes, isFreed]) => {
  const memory = new ArrayBuffer(65_536);
  giveBack(Buffer.from(memory, at, bytes));
  expect(memory.detached).toBe(isFreed);
});

test('memory of several threads is left alone', () => {
  const piece = Buffer.from(new SharedArrayBuffer(65_536));
  giveBack(piece);
  expect(piece.length).toBe(65_536);
});

test('memory that cannot be freed is left alone', () => {
  // TypeScript has its types with those of browsers only.
  const { Memory } = Reflect.get(globalThis, 'WebAssembly') as {
    Memory: new (pages: { initial: number }) => { buffer: ArrayBuffer };
  };
  const piece = Buffer.from(new Memory({ initial: 1 }).buffer);
  giveBack(piece);
  expect(piece.length).toBe(65_536);
});
