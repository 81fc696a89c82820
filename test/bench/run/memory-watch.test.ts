import { describe, expect, test } from 'vitest';
import { MemoryWatch } from './memory-watch.ts';

describe.each(['heap', 'resident'] as const)('%s', (watched) => {
  // Of the second a tenth is no whole number, and a batch of the third ends several parts.
  test.each([
    { records: 1_000, step: 1 },
    { records: 1_063_808, step: 1_000 },
    { records: 1_000, step: 333 },
  ])('every part of $records records in batches of $step has a figure', ({ records, step }) => {
    const watch = new MemoryWatch(watched, records, 10);
    for (let done = step; done < records + step; done += step) watch.look(Math.min(done, records));
    const { partsMiB } = watch.report();
    expect(partsMiB).toHaveLength(10);
    expect(Math.min(...partsMiB)).toBeGreaterThan(0);
  });
});

test('what was not consumed has none', () => {
  const watch = new MemoryWatch('heap', 1_000, 10);
  watch.look(499);
  const isKnown = watch.report().partsMiB.map((mib) => mib > 0);
  expect(isKnown).toEqual(isKnown.map((_, part) => part < 4));
});
