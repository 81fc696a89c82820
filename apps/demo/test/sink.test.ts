import { expect } from 'vitest';
import { test } from '@millrace/testkit/vitest';

import { Sink } from '../src/sink/sink.ts';
import type { SinkWrite } from '../src/sink/sink.ts';

const WRITE: SinkWrite = {
  partition: 0,
  epoch: 1,
  worker: 'w1',
  offset: 0,
  appendedMs: 5,
  path: 'a',
  entry: '100644 1',
};

function write(rest: Partial<SinkWrite>): SinkWrite {
  return { ...WRITE, ...rest };
}

test('folds changes into a tree, with paths that are no UTF-8', async ({ redis, onTestFinished }) => {
  await using sink = await Sink.connect(redis.url, redis.prefix, 'test');
  onTestFinished(() => redis.clear());
  expect(await sink.apply(write({ offset: 0, path: 'gone' }))).toBe('APPLIED');
  await sink.apply(write({ offset: 1, path: '\u00ff\u00fe' }));
  await sink.apply(write({ offset: 2, path: 'gone', entry: '' }));
  await sink.apply(write({ partition: 1, path: 'other', entry: '120000 2' }));

  expect(await sink.tree(2)).toEqual(
    new Map([
      ['\u00ff\u00fe', '100644 1'],
      ['other', '120000 2'],
    ]),
  );
});

test('refuses an owner that was superseded, and says so', async ({ redis, onTestFinished }) => {
  await using sink = await Sink.connect(redis.url, redis.prefix, 'test');
  onTestFinished(() => redis.clear());
  await sink.apply(write({ epoch: 2, worker: 'w1', offset: 0 }));
  await sink.open(0, 10, 'w2');

  expect(await sink.apply(write({ epoch: 9, worker: 'w1', offset: 1, entry: '100644 stale' }))).toBe(
    'REFUSED',
  );
  expect(await sink.apply(write({ epoch: 10, worker: 'w2', offset: 1, entry: '100644 fresh' }))).toBe(
    'APPLIED',
  );

  expect(await sink.tree(1)).toEqual(new Map([['a', '100644 fresh']]));
  expect(await sink.progress(1)).toEqual([{ next: 2, applied: 2, refused: 1 }]);
});

test('an owner that reports late does not reopen the partition', async ({ redis, onTestFinished }) => {
  await using sink = await Sink.connect(redis.url, redis.prefix, 'test');
  onTestFinished(() => redis.clear());
  await sink.open(0, 2, 'w2');
  await sink.open(0, 1, 'w1');

  expect((await sink.history(0)).map(({ worker }) => worker)).toEqual(['w2']);
  expect(await sink.apply(write({ epoch: 1 }))).toBe('REFUSED');
});

test('notes every application in order, by the clock of the server', async ({ redis, onTestFinished }) => {
  await using sink = await Sink.connect(redis.url, redis.prefix, 'test');
  onTestFinished(() => redis.clear());
  const before = await sink.nowMs();
  await sink.open(3, 7, 'w1');
  await sink.apply(write({ partition: 3, epoch: 7, offset: 4, appendedMs: 123 }));
  // Repeated by an heir: allowed, noted, and the progress does not go back.
  await sink.apply(write({ partition: 3, epoch: 8, worker: 'w2', offset: 3 }));
  const after = await sink.nowMs();

  const entries = await sink.history(3);

  expect(entries).toMatchObject([
    { type: 'opened', epoch: 7, worker: 'w1' },
    { type: 'applied', epoch: 7, worker: 'w1', offset: 4, appendedMs: 123 },
    { type: 'applied', epoch: 8, worker: 'w2', offset: 3, appendedMs: 5 },
  ]);
  const times = [before, ...entries.map(({ atMs }) => atMs), after];
  expect(times.toSorted((a, b) => a - b)).toEqual(times);
  expect((await sink.progress(4)).map(({ next }) => next)).toEqual([0, 0, 0, 5]);
});

test('a path found in two partitions is in no tree of git', async ({ redis, onTestFinished }) => {
  await using sink = await Sink.connect(redis.url, redis.prefix, 'test');
  onTestFinished(() => redis.clear());
  await sink.apply(write({ partition: 0 }));
  await sink.apply(write({ partition: 1 }));

  expect((await sink.tree(2)).size).toBe(2);
});

test('deletes everything it has written', async ({ redis }) => {
  await using sink = await Sink.connect(redis.url, redis.prefix, 'test');
  for (const partition of [0, 1]) await sink.apply(write({ partition }));
  // Keys that are left fail the test.
  await sink.delete(2);
});
