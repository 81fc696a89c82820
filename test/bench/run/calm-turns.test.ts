import { expect, test } from 'vitest';
import { calmest, stolenIn } from './calm-turns.ts';

test('what the host took is the eighth figure of all cores', () => {
  const stat = 'cpu  6945356 733110 1568154 5711434 14990 0 267598 1234 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n';
  expect(stolenIn(stat)).toBe(12.34);
});

test('a kernel that does not tell has lost none', () => {
  expect(stolenIn('cpu  1 2 3 4\n')).toBe(0);
  expect(stolenIn('')).toBe(0);
});

test('the turns that count are those that least was taken from, the calmest first', () => {
  const turns = [0.3, 0, 0.2, 1, 0.1].map((stolen, index) => ({ stolen, index }));
  expect(calmest(turns, 3).map(({ index }) => index)).toEqual([1, 4, 2]);
});
