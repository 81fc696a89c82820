import { expect, test } from 'vitest';

import { formatPartitions } from './run-state.ts';

test.for<[number[], string]>([
  [[], ''],
  [[5], '5'],
  [[0, 1], '0-1'],
  [[0, 1, 2, 3, 7, 9, 10], '0-3 7 9-10'],
])('%j is written as %j', ([partitions, text]) => {
  expect(formatPartitions(partitions)).toBe(text);
});
