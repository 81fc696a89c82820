import { describe, expect, test } from 'vitest';

import type { RunResult } from './run/run-demo.ts';
import { describeResult, isGood, summarize } from './summary.ts';
import type { Verdict } from './verdict/judge.ts';
import { PLAIN } from './view/render-frame.ts';

const FACTS = { records: 12_345, workers: 8, partitions: 64, kill: 3, files: 977 };

const VERDICT: Verdict = {
  lost: 0,
  redelivered: 21,
  outOfOrder: 0,
  refusedWrites: 0,
  treeMatches: true,
  complete: true,
  resumeMs: { p50: 412.4, max: 655.5 },
  resumed: 22,
  standstillMs: 871.3,
  findings: [],
};

const RESULT: RunResult = { verdict: VERDICT, killed: 3, staleCommitsRefused: 0, failed: 0, seconds: 15.04 };

test('the object for programs has exactly the promised fields', () => {
  expect(summarize(FACTS, RESULT)).toEqual({
    records: 12_345,
    partitions: 64,
    workers: 8,
    killed: 3,
    lost: 0,
    redelivered: 21,
    outOfOrder: 0,
    staleCommitsRefused: 0,
    resumeMs: { p50: 412, max: 656 },
    treeMatches: true,
    seconds: 15,
  });
  expect(
    summarize(FACTS, { ...RESULT, verdict: { ...VERDICT, resumeMs: null, resumed: 0 } }).resumeMs,
  ).toEqual({
    p50: null,
    max: null,
  });
});

test('a good run in words', () => {
  expect(isGood(FACTS, RESULT)).toBe(true);
  expect(describeResult(FACTS, RESULT, PLAIN)).toMatchInlineSnapshot(`
    "12,345 changes went through 64 partitions to 8 workers.
    3 of them were killed without warning, the leader first; one left in order.

    ✓ nothing lost
    ✓ nothing out of order: the changes of every file came one after the other
    ✓ 21 changes done twice: killed workers had done them and not yet said so
    ✓ survivors took over within 412 ms (median), 656 ms at most (22 partitions)
    ✓ no partition with work stood still for longer than 871 ms
    ✓ tree equals git ls-tree: yes, all 977 files

    All is well, after 15.0 seconds."
  `);
});

describe('each thing that must not happen makes the run bad and is said', () => {
  test.for<[string, Partial<RunResult>, RegExp]>([
    ['lost', { verdict: { ...VERDICT, lost: 2 } }, /✗ 2 changes LOST/],
    ['out of order', { verdict: { ...VERDICT, outOfOrder: 1 } }, /✗ 1 step OUT OF ORDER/],
    ['another tree', { verdict: { ...VERDICT, treeMatches: false } }, /✗ tree equals git ls-tree: NO/],
    [
      'an incomplete log',
      { verdict: { ...VERDICT, complete: false } },
      /✗ not every change stands in the log exactly once/,
    ],
    ['too few kills', { killed: 2 }, /✗ only 2 of 3 were killed/],
    ['a worker that crashed', { failed: 1 }, /✗ 1 worker ended without being asked to/],
  ])('%s', ([, rest, message]) => {
    const result = { ...RESULT, ...rest };
    expect(isGood(FACTS, result)).toBe(false);
    const words = describeResult(FACTS, result, PLAIN);
    expect(words).toMatch(message);
    expect(words).toContain('Something went wrong');
  });
});
