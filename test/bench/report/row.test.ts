import { expect, test } from 'vitest';
import { bound, compare, compareTurns, reaches, withoutFigure } from './row.ts';

const options = { id: 'a/b', measure: 'a / b', unit: 'records/s', target: { atLeast: 2 }, settings: {} };

test('a ratio is that of the medians', () => {
  const row = compare(options, { name: 'a', values: [1, 8, 9] }, { name: 'b', values: [4, 1, 100] });
  expect(row).toMatchObject({ ratio: 2, verdict: 'pass', against: 'b', medians: { a: 8, b: 4 } });
  expect(row.rounds).toEqual({ a: [1, 8, 9], b: [4, 1, 100] });
});

test('of sides that took turns it is the median of the ratios of each round', () => {
  const row = compareTurns(options, { name: 'a', values: [1, 8, 9] }, { name: 'b', values: [4, 1, 3] });
  expect(row).toMatchObject({ ratio: 3, verdict: 'pass', against: 'b', medians: { a: 8, b: 3 } });
  expect(row.rounds).toEqual({ a: [1, 8, 9], b: [4, 1, 3] });
});

test('sides with unequal rounds did not take turns', () => {
  const sides = [
    { name: 'a', values: [1, 2] },
    { name: 'b', values: [1] },
  ] as const;
  expect(() => compareTurns(options, ...sides)).toThrow('a/b: 2 rounds against 1');
});

test('below its target it is a miss', () => {
  const row = compare(options, { name: 'a', values: [7] }, { name: 'b', values: [4] });
  expect(row.verdict).toBe('miss');
});

test('nothing measured is no pass, whatever the target', () => {
  expect(compare(options, { name: 'a', values: [] }, { name: 'b', values: [1] }).verdict).toBe('miss');
  expect(compareTurns(options, { name: 'a', values: [] }, { name: 'b', values: [] }).verdict).toBe('miss');
  expect(reaches(Number.NaN, { atMost: 1 })).toBe(false);
  expect(withoutFigure(options, 'b', 'failed', 'it broke')).toMatchObject({
    verdict: 'failed',
    ratio: null,
    note: 'it broke',
  });
});

test('a bound is compared with the figure itself', () => {
  const row = { ...options, target: { atMost: 150 } };
  expect(bound(row, { name: 'a', values: [150] }).verdict).toBe('pass');
  expect(bound(row, { name: 'a', values: [151] }).verdict).toBe('miss');
});
