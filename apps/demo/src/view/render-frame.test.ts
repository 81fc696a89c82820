import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';

import type { RunState } from '../run/run-state.ts';
import { COLOURED, PLAIN, renderFrame } from './render-frame.ts';

function runState(workers: number, rest: Partial<RunState> = {}): RunState {
  return {
    phase: 'flowing',
    title: 'history of some-project',
    startedAtMs: 1000,
    records: 12_345,
    partitionCount: 16,
    produced: 6000,
    applied: 5990,
    workers: Array.from({ length: workers }, (_, i) => ({
      name: `w${i + 1}`,
      pid: 4000 + i,
      status: i === 1 ? 'killed' : 'running',
      memberId: `m${i + 1}`,
      partitions: [i, i + workers],
      handled: 1500,
    })),
    leader: 'm3',
    generation: 7,
    happenings: [],
    ...rest,
  };
}

const SIZE = { columns: 80, rows: 24 };

test('a frame of 80 by 24', () => {
  const state = runState(4, {
    happenings: [
      { atMs: 900, kind: 'group', text: 'w1 has joined' },
      { atMs: 4100, kind: 'kill', text: 'w2, the leader, is killed (SIGKILL); it owned 4 partitions' },
    ],
  });
  expect(renderFrame(state, 6500, SIZE, PLAIN)).toMatchInlineSnapshot(`
    "millrace demo  history of some-project                                    5.5 s
    records are flowing, generation 7

    sent     ███████████████░░░░░░░░░░░░░░░░   6,000 of 12,345   48 %
    applied  ███████████████░░░░░░░░░░░░░░░░   5,990 of 12,345   48 %        lag 10

    worker      pid  state     handled  partitions
    w1         4000  running     1,500  2: 0 4
    w2         4001  killed      1,500
    w3         4002  leading     1,500  2: 2 6
    w4         4003  running     1,500  2: 3 7

    what happened
       0.9 s  w1 has joined
       4.1 s  w2, the leader, is killed (SIGKILL); it owned 4 partitions"
  `);
});

describe('whatever the run looks like, the frame fits', () => {
  const happenings = Array.from({ length: 500 }, (_, i) => ({
    atMs: i,
    kind: 'trouble' as const,
    text: 'x'.repeat(300),
  }));
  const title = `history of ${'a-long-name-'.repeat(20)}`;

  test.for<[number, { columns: number; rows: number }]>([
    [2, SIZE],
    [8, SIZE],
    [200, SIZE],
    [4, { columns: 70, rows: 14 }],
    [200, { columns: 70, rows: 14 }],
    [50, { columns: 300, rows: 90 }],
  ])('%i workers in %j', ([workers, size]) => {
    const partitions = Array.from({ length: 1000 }, (_, i) => i * 2);
    const state = runState(workers, { happenings, title, records: 10_000_000, produced: 9_999_999 });
    for (const worker of state.workers) worker.partitions = partitions;

    for (const paint of [PLAIN, COLOURED]) {
      const lines = renderFrame(state, 99_999_999, size, paint).split('\n');
      expect(lines.length).toBeLessThan(size.rows);
      for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThan(size.columns);
    }
  });
});

test('colours do not change the text', () => {
  const state = runState(4);
  expect(stripVTControlCharacters(renderFrame(state, 6500, SIZE, COLOURED))).toBe(
    renderFrame(state, 6500, SIZE, PLAIN),
  );
});

test('more workers than lines: those at work come first, the others are counted', () => {
  const state = runState(40);
  for (const worker of state.workers.slice(0, 30)) worker.status = 'killed';
  const text = renderFrame(state, 6500, SIZE, PLAIN);
  expect(text).toContain('w31');
  expect(text).toMatch(/… and 32 more, 2 of them at work/);
});

test('control characters of a folder name do not reach the terminal', () => {
  const text = renderFrame(runState(2, { title: 'evil\u001b[2J\u0007name' }), 6500, SIZE, PLAIN);
  expect(text).toContain('evil?name');
});

test('a worker without partitions is called idle', () => {
  const state = runState(3);
  for (const worker of state.workers) worker.partitions = [];
  expect(renderFrame(state, 6500, SIZE, PLAIN)).toContain('none: idle');
});
