import { expect, test } from 'vitest';
import { median } from '../median.ts';
import { percentile } from './pace.ts';
import { bar } from './progress.ts';
import { VALUE_BYTES, bufferValue, textValue } from './values.ts';

test('percentiles by nearest rank, medians', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([7], 0.99)]).toEqual([50, 99, 7]);
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});

test('a value has the same bytes as text and as a buffer', () => {
  expect(textValue(1_234)).toBe(bufferValue(1_234).toString());
  expect(bufferValue(1_234)).toHaveLength(VALUE_BYTES);
});

test('the bar stays within its width', () => {
  expect(new Set([-1, 0, 0.5, 1, 2].map((done) => bar(done).length)).size).toBe(1);
});
