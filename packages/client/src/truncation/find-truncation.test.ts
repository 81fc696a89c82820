/** Every place at which a log can have gone back, against the definition: the first batch that is not there. */
import type { LogFingerprints } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchTrail, type TrailEntry } from './batch-trail.ts';
import { findTruncation } from './find-truncation.ts';

function entriesOf(sizes: readonly number[], name: (index: number) => string, from = 0): TrailEntry[] {
  let end = from;
  return sizes.map((size, index) => {
    const baseOffset = end;
    end += size;
    return { baseOffset, nextOffset: end, fingerprint: name(index) };
  });
}

/** What Redis would answer for a log of these batches. */
function looking(log: readonly TrailEntry[], logStart = 0, server = () => 's1') {
  const looks: number[] = [];
  const lookAt = async (nextOffsets: readonly number[]): Promise<LogFingerprints> => {
    looks.push(...nextOffsets);
    return {
      logStart,
      logEnd: log.at(-1)?.nextOffset ?? 0,
      incarnation: '1-x',
      server: server(),
      fingerprints: nextOffsets.map(
        (offset) => log.find(({ nextOffset }) => nextOffset === offset)?.fingerprint ?? '',
      ),
    };
  };
  return { lookAt, looks };
}

const sizes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 40 });

describe('a log that went back', () => {
  test('is reported from its first record that is gone, wherever it went back and however it grew since', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(40), sizes, fc.boolean(), async (known, cut, grown, hasGrown) => {
        const trail = entriesOf(known, (index) => `old-${index}`);
        const kept = trail.slice(0, Math.min(cut, trail.length - 1));
        const end = kept.at(-1)?.nextOffset ?? 0;
        const log = [...kept, ...(hasGrown ? entriesOf(grown, (index) => `new-${index}`, end) : [])];
        const { truncation } = await findTruncation(trail, looking(log).lookAt);
        expect(truncation).toEqual({ from: end });
      }),
    );
  });

  test('costs as many looks as a bisection takes', async () => {
    const trail = entriesOf(Array(200).fill(1), (index) => `old-${index}`);
    const { lookAt, looks } = looking(trail.slice(0, 77));
    expect((await findTruncation(trail, lookAt)).truncation).toEqual({ from: 77 });
    expect(looks.length).toBeLessThanOrEqual(9);
  });

  test('further than what is remembered is reported from its end: too early, not too late', async () => {
    const trail = entriesOf([5, 5, 5], (index) => `old-${index}`, 100);
    const { lookAt } = looking(entriesOf([40], () => 'other'));
    expect((await findTruncation(trail, lookAt)).truncation).toEqual({ from: 40 });
  });

  test('a second time while it is looked at is looked at from the beginning', async () => {
    const trail = entriesOf([1, 1, 1, 1], (index) => `old-${index}`);
    let looks = 0;
    const { lookAt } = looking(trail.slice(0, 2), 0, () => (++looks < 2 ? 's1' : 's2'));
    const { log, truncation } = await findTruncation(trail, lookAt);
    expect({ server: log?.server, truncation }).toEqual({ server: 's2', truncation: { from: 2 } });
  });
});

describe('a log that did not', () => {
  test('costs one look', async () => {
    const trail = entriesOf([3, 3, 3], (index) => `old-${index}`);
    const { lookAt, looks } = looking([...trail, { baseOffset: 9, nextOffset: 12, fingerprint: 'more' }]);
    expect((await findTruncation(trail, lookAt)).truncation).toBeNull();
    expect(looks).toEqual([9]);
  });

  test('and was trimmed is not taken for one that did', async () => {
    const trail = entriesOf([3, 3, 3], (index) => `old-${index}`);
    const log = entriesOf([3], () => 'later', 12);
    expect((await findTruncation(trail, looking(log, 12).lookAt)).truncation).toBeNull();
    expect(
      (await findTruncation(trail, looking([...trail.slice(2), ...log], 6).lookAt)).truncation,
    ).toBeNull();
  });

  test('is gone with its topic', async () => {
    const trail = entriesOf([3], () => 'old');
    expect(await findTruncation(trail, async () => null)).toEqual({ log: null, truncation: null });
  });
});

describe('a trail', () => {
  test('keeps the last batches, between 64 and 128 of them', () => {
    const trail = new BatchTrail();
    const all = entriesOf(Array(1_000).fill(2), (index) => `old-${index}`);
    for (const [index, entry] of all.entries()) {
      trail.add(entry);
      expect(trail.entries).toEqual(all.slice(index + 1 - trail.entries.length, index + 1));
      expect(trail.entries.length).toBeGreaterThanOrEqual(Math.min(index + 1, 64));
      expect(trail.entries.length).toBeLessThan(128);
    }
  });

  test('does not hold a batch twice, and forgets what was lost', () => {
    const trail = new BatchTrail();
    const all = entriesOf([2, 2, 2], (index) => `old-${index}`);
    for (const entry of [...all, ...all]) trail.add(entry);
    expect(trail.entries).toEqual(all);
    trail.cutAt(3);
    expect(trail.entries).toEqual(all.slice(0, 1));
    expect(trail.end).toBe(2);
  });
});
