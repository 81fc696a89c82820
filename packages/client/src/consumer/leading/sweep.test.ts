/** When a leader looks at which log: on what a partition has answered, and never at too many of them. */
import type { TopicEntry, TopicLimits, TrimRequest, TrimResult } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { nextLookMs, Sweep } from './sweep.ts';

const HOUR_MS = 3_600_000;
const DONE = {
  status: 'TRIMMED',
  logStart: 0,
  logEnd: 0,
  bytes: 0,
  batches: 0,
  waitMs: HOUR_MS,
  isPressed: false,
} as const satisfies TrimResult;

function topic(partitions: number, limits?: TopicLimits, version = 1): TopicEntry {
  return { partitions, incarnation: '1-x', ...(limits === undefined ? {} : { limits: { version, limits } }) };
}

function sweeping(answer: (request: TrimRequest) => TrimResult = () => DONE, random = 0) {
  const asked: TrimRequest[] = [];
  const denied: string[] = [];
  const sweep = new Sweep({
    partitions: {
      trim: async (request) => {
        asked.push(request);
        return answer(request);
      },
    },
    random: () => random,
    onDenied: ({ code, message }) => void denied.push(`${code} ${message}`),
  });
  /** As the leader does: again after what the step has answered. */
  const run = async (fromMs: number, toMs: number): Promise<void> => {
    for (let nowMs = fromMs; nowMs < toMs; nowMs += await sweep.step(nowMs));
  };
  return { sweep, asked, denied, run };
}

describe('the next look at a partition', () => {
  const bounded: TopicLimits = { maxRecords: 10 };
  test.each<[string, Partial<typeof DONE | object>, TopicLimits | undefined, number]>([
    ['that has more to trim', { waitMs: 0 }, undefined, 0],
    ['where the oldest batch is due in a while', { waitMs: 5_500 }, undefined, 5_500],
    ['where it is due in an hour', {}, undefined, 600_000],
    ['where it is due at once, but for what was just looked at', { waitMs: 1 }, undefined, 1_000],
    ['where somebody has to commit first', { waitMs: null }, undefined, 10_000],
    ['where that is to be trimmed at once', { waitMs: null }, { trimCommittedAfterMs: 0 }, 1_000],
    ['where it stays for ever', { waitMs: null }, { trimCommittedAfterMs: 'never' }, 10_000],
    ['at whose limit producers wait', {}, bounded, 5_000],
    ['at whose limit they wait already', { isPressed: true }, bounded, 500],
    ['at whose limit the oldest goes', {}, { ...bounded, onFull: 'trim' }, 600_000],
  ])('%s', (_, result, limits, expectedMs) => {
    expect(nextLookMs({ ...DONE, ...result }, topic(1, limits))).toBe(expectedMs);
  });

  test('whose groups have changed is at once', () => {
    expect(nextLookMs({ status: 'GROUPS_CHANGED', groups: ['a'] }, topic(1))).toBe(0);
  });

  test.each(['UNKNOWN_PARTITION', 'OTHER_INCARNATION'] as const)('that is %s has time', (status) => {
    expect(nextLookMs({ status, incarnation: '2-y' }, topic(1))).toBe(600_000);
  });
});

describe('a sweep', () => {
  test('asks every partition once an hour or so while nothing is due, and never ten in a second', async () => {
    const { sweep, asked, run } = sweeping();
    sweep.follow(new Map([['orders', topic(32)]]), 0);
    await run(0, 10_000);
    expect(new Set(asked.map(({ partition }) => partition)).size).toBe(32);
    expect(asked).toHaveLength(32);
    await run(10_000, 600_000);
    expect(asked).toHaveLength(32);
    await run(600_000, 700_000);
    expect(asked).toHaveLength(64);
  });

  test('asks again with the groups that it was told of', async () => {
    const { sweep, asked, run } = sweeping(({ groups }) =>
      groups.length === 0 ? { status: 'GROUPS_CHANGED', groups: ['billing', 'audit'] } : DONE,
    );
    sweep.follow(new Map([['orders', topic(1)]]), 0);
    await run(0, 60_000);
    expect(asked.map(({ groups }) => groups)).toEqual([[], ['billing', 'audit']]);
  });

  test('stays with a partition that is behind, in steps, and with others too', async () => {
    const { sweep, asked, run } = sweeping(({ partition }) =>
      partition === 0 ? { ...DONE, waitMs: 0 } : DONE,
    );
    sweep.follow(new Map([['orders', topic(3)]]), 0);
    await run(0, 1_000);
    const looks = [0, 1, 2].map((n) => asked.filter(({ partition }) => partition === n).length);
    expect(looks[0]).toBeGreaterThan(20);
    expect(looks[0]).toBeLessThanOrEqual(50);
    expect(looks.slice(1)).toEqual([1, 1]);
  });

  test('looks anew at a topic that has other limits, more partitions, or was made anew', async () => {
    const { sweep, asked, run } = sweeping();
    sweep.follow(new Map([['orders', topic(2)]]), 0);
    await run(0, 1_000);
    const limits: TopicLimits = { maxAgeMs: 5 };
    for (const entry of [topic(2, limits), topic(3, limits), { ...topic(3, limits), incarnation: '2-y' }]) {
      asked.length = 0;
      sweep.follow(new Map([['orders', entry]]), 1_000);
      await run(1_000, 2_000);
      sweep.follow(new Map([['orders', entry]]), 2_000);
      expect(asked.map(({ partition, incarnation, limits: sent }) => [partition, incarnation, sent])).toEqual(
        Array.from({ length: entry.partitions }, (_, n) => [
          n,
          entry.incarnation,
          entry.limits ?? null,
        ]).filter(([n]) => entry.partitions === 2 || entry.incarnation === '2-y' || n === 2),
      );
    }
  });

  test('leaves a topic alone that it may not trim, tells it once, and goes on with the others', async () => {
    const { sweep, asked, denied, run } = sweeping(({ topic: name }) => {
      if (name === 'orders')
        throw Object.assign(new Error('NOPERM No permissions to access a key'), { name: 'ReplyError' });
      return DONE;
    });
    const topics = new Map([
      ['orders', topic(2)],
      ['returns', topic(2)],
    ]);
    sweep.follow(topics, 0);
    await run(0, 5_000);
    sweep.follow(topics, 5_000);
    await run(5_000, 700_000);
    expect(denied).toEqual([expect.stringMatching(/^PERMISSION_DENIED .*trimming topic "orders"/)]);
    expect(asked.filter(({ topic: name }) => name === 'orders')).toHaveLength(1);
    expect(asked.filter(({ topic: name }) => name === 'returns')).toHaveLength(4);
  });

  test('looks at a thousand logs whose producers wait before these give up', async () => {
    const { sweep, asked, run } = sweeping(() => ({ ...DONE, isPressed: true }));
    sweep.follow(new Map([['orders', topic(1_024, { maxRecords: 10 })]]), 0);
    // As long as a record is tried to be stored, by default.
    await run(0, 30_000);
    expect(new Set(asked.map(({ partition }) => partition)).size).toBe(1_024);
  });

  test('begins at once with logs whose producers may wait, and not with the others', () => {
    const waits = (limits: TopicLimits): number => {
      const { sweep } = sweeping(undefined, 0.99);
      sweep.follow(new Map([['orders', topic(3, limits)]]), 0);
      return sweep.untilNextMs(0);
    };
    expect(waits({ maxRecords: 10 })).toBe(495);
    expect(waits({ maxBytes: 10 })).toBe(495);
    expect(waits({ maxRecords: 10, onFull: 'trim' })).toBe(59_400);
    expect(waits({})).toBe(59_400);
  });

  test('comes back soon to a log whose producer waits, also when the producer comes less often', async () => {
    const lookedMs: number[] = [];
    let nowMs = 0;
    // A sign that the first look has taken away, and a producer that does not come again.
    const { sweep } = sweeping(() => ({ ...DONE, isPressed: lookedMs.push(nowMs) === 1 }));
    sweep.follow(new Map([['orders', topic(1, { maxRecords: 10 })]]), 0);
    while (nowMs < 14_000) nowMs += await sweep.step(nowMs);
    expect(lookedMs).toEqual([0, 500, 1_000, 1_500, 2_000, 7_000, 12_000]);
  });

  test('leaves a topic alone that is gone', async () => {
    const { sweep, asked, run } = sweeping();
    sweep.follow(new Map([['orders', topic(2)]]), 0);
    sweep.follow(new Map(), 0);
    await run(0, 100_000);
    expect(asked).toEqual([]);
  });

  test('comes back to a partition whose look has failed', async () => {
    let fails = true;
    const { sweep, asked, run } = sweeping(() => {
      if (!fails) return DONE;
      fails = false;
      throw new Error('connection lost');
    });
    sweep.follow(new Map([['orders', topic(1)]]), 0);
    await expect(sweep.step(0)).rejects.toThrow('connection lost');
    await run(100, 11_000);
    expect(asked).toHaveLength(2);
  });
});
