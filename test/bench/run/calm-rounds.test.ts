import { expect, test } from 'vitest';
import { calmRounds } from './calm-rounds.ts';

test('rounds in which the peer was slow are left out', () => {
  expect(calmRounds([0.2, 0.21, 0.31, 0.19, 1.4])).toEqual([0, 1, 3]);
});

test('without a disturbance every round counts', () => {
  expect(calmRounds([0.2, 0.3, 0.25])).toEqual([0, 1, 2]);
});
