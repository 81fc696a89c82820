import { expect, test } from 'vitest';
import { BatchBuffers } from './batch-buffers.ts';

test('what was given back is handed out again, to whoever asks for about as much', () => {
  const buffers = new BatchBuffers(4_194_304);
  const first = buffers.take(100_000);
  buffers.give(first.subarray(0, 70_000));
  expect(buffers.take(131_072).buffer).toBe(first.buffer);
});

test('what is lent is nobody else’s', () => {
  const buffers = new BatchBuffers(4_194_304);
  const all = [buffers.take(100_000), buffers.take(100_000), buffers.take(200_000)];
  expect(new Set(all.map(({ buffer }) => buffer)).size).toBe(3);
  for (const [index, bytes] of [100_000, 100_000, 200_000].entries())
    expect(all[index]?.length).toBeGreaterThanOrEqual(bytes);
});

test('what is given back twice is handed out once', () => {
  const buffers = new BatchBuffers(4_194_304);
  const first = buffers.take(100_000);
  buffers.give(first);
  buffers.give(first);
  const [second, third] = [buffers.take(100_000), buffers.take(100_000)];
  expect(second.buffer).toBe(first.buffer);
  expect(third.buffer).not.toBe(first.buffer);
});

test('memory that others share is not taken', () => {
  const buffers = new BatchBuffers(4_194_304);
  for (const foreign of [Buffer.allocUnsafe(100), Buffer.alloc(65_536), Buffer.alloc(8_192)]) {
    buffers.give(foreign);
    expect(buffers.take(foreign.buffer.byteLength).buffer).not.toBe(foreign.buffer);
  }
  const small = buffers.take(1_000);
  buffers.give(small);
  expect(buffers.take(small.buffer.byteLength).buffer).not.toBe(small.buffer);
});

test('what is kept is bounded', () => {
  const buffers = new BatchBuffers(4_194_304);
  const lent = Array.from({ length: 10 }, () => buffers.take(1_048_576));
  const known = new Set(lent.map(({ buffer }) => buffer));
  for (const buffer of lent) buffers.give(buffer);
  const again = Array.from({ length: 10 }, () => buffers.take(1_048_576));
  expect(again.filter(({ buffer }) => known.has(buffer))).toHaveLength(4);
});

test('what is kept are sizes that are asked for', () => {
  const buffers = new BatchBuffers(4_194_304);
  for (const bytes of [16_384, 65_536]) {
    const lent = Array.from({ length: 4_194_304 / bytes }, () => buffers.take(bytes));
    for (const buffer of lent) buffers.give(buffer);
    const known = new Set(lent.map(({ buffer }) => buffer));
    const again = lent.map(() => buffers.take(bytes));
    expect(again.every(({ buffer }) => known.has(buffer))).toBe(true);
    for (const buffer of again) buffers.give(buffer);
  }
});
