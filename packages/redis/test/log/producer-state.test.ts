/** What is kept of producers is bounded, and forgetting never lets a batch in twice that a producer still repeats. */
import { describe, expect } from 'vitest';
import { appendBatch } from '../../src/log/append-batch.ts';
import { appendRequest, test, type LogFixture } from './log-fixture.ts';

const MAX_PRODUCERS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** As if `count` producers had appended, the n-th of them `ageMs(n)` ago. */
async function addProducers(
  logs: LogFixture,
  count: number,
  ageMs: (index: number) => number,
): Promise<void> {
  const [seconds] = await logs.ioredis.time();
  const nowMs = Number(seconds) * 1000;
  const { producers, producerTimes } = logs.keys.partition('orders', 0);
  const names = Array.from({ length: count }, (_, index) => `old-${index}`);
  await logs.ioredis.hset(producers, ...names.flatMap((name) => [name, '0 1 0:1:0:1']));
  await logs.ioredis.zadd(producerTimes, ...names.flatMap((name, index) => [nowMs - ageMs(index), name]));
}

/** Producers that have a state, and those that have a time: always the same ones. */
async function kept(logs: LogFixture): Promise<Set<string>> {
  const { producers, producerTimes } = logs.keys.partition('orders', 0);
  const names = new Set(await logs.ioredis.hkeys(producers));
  expect(new Set(await logs.ioredis.zrange(producerTimes, '0', '-1'))).toEqual(names);
  return names;
}

describe('a partition that keeps as many producers as it may', () => {
  test('forgets the oldest one for a new one', async ({ logs }) => {
    await addProducers(logs, MAX_PRODUCERS, (index) => 11 * MINUTE_MS + (MAX_PRODUCERS - index));
    expect(await logs.log.append(appendRequest({ producerId: 'new' }))).toMatchObject({ status: 'APPENDED' });
    const names = await kept(logs);
    expect([names.size, names.has('old-0'), names.has('old-1'), names.has('new')]).toEqual([
      MAX_PRODUCERS,
      false,
      true,
      true,
    ]);
  });

  test('refuses a new one while all are recent, and says for how long', async ({ logs }) => {
    await addProducers(logs, MAX_PRODUCERS, () => 9 * MINUTE_MS);
    const request = appendRequest({ producerId: 'new' });
    const reply = await appendBatch(logs.ioredis, logs.keys, request);
    expect(reply).toEqual({
      status: 'TOO_MANY_PRODUCERS',
      limit: MAX_PRODUCERS,
      retryAfterMs: expect.any(Number),
    });
    const { retryAfterMs = 0 } = reply as { retryAfterMs?: number };
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(MINUTE_MS + 1000);
    await expect(logs.log.append(request)).rejects.toMatchObject({
      code: 'TOO_MANY_PRODUCERS',
      retryable: true,
      details: { topic: 'orders', partition: 0, limit: MAX_PRODUCERS },
    });
    expect((await kept(logs)).size).toBe(MAX_PRODUCERS);
    expect((await logs.log.describe('orders', 0))?.end).toBe(0);
  });

  test('takes nothing away for one that it refuses', async ({ logs }) => {
    await logs.topics.setLimits('orders', { maxRecords: 2, onFull: 'trim' });
    await logs.append('a', 'b');
    await addProducers(logs, MAX_PRODUCERS, () => MINUTE_MS);
    const reply = await appendBatch(logs.ioredis, logs.keys, appendRequest({ producerId: 'new' }));
    expect(reply.status).toBe('TOO_MANY_PRODUCERS');
    expect(await logs.log.describe('orders', 0)).toMatchObject({ start: 0, end: 2 });
    expect(await logs.ioredis.xlen(logs.keys.partition('orders', 0).log)).toBe(1);
  });

  test('serves the producers that it keeps', async ({ logs }) => {
    await addProducers(logs, MAX_PRODUCERS, () => MINUTE_MS);
    const request = appendRequest({ producerId: 'old-17', sequence: 1 });
    expect(await logs.log.append(request)).toMatchObject({ status: 'APPENDED' });
    expect((await kept(logs)).size).toBe(MAX_PRODUCERS);
  });
});

describe('a day after its last append', () => {
  test('a producer is forgotten when another one comes', async ({ logs }) => {
    await addProducers(logs, 3, (index) => (index === 1 ? 23 : 25) * HOUR_MS);
    await logs.log.append(appendRequest({ producerId: 'new' }));
    expect(await kept(logs)).toEqual(new Set(['old-1', 'new']));
    expect(await logs.log.append(appendRequest({ producerId: 'old-0', sequence: 1 }))).toEqual({
      status: 'UNKNOWN_PRODUCER',
    });
  });

  test('many are forgotten a few at a time, faster than new ones can come', async ({ logs }) => {
    await addProducers(logs, 100, () => 25 * HOUR_MS);
    await logs.log.append(appendRequest({ producerId: 'new-1' }));
    expect((await kept(logs)).size).toBe(100 - 16 + 1);
    await logs.log.append(appendRequest({ producerId: 'new-2' }));
    expect((await kept(logs)).size).toBe(100 - 32 + 2);
  });

  test('a producer that comes back in time keeps its place', async ({ logs }) => {
    await addProducers(logs, 1, () => 23 * HOUR_MS);
    await logs.log.append(appendRequest({ producerId: 'old-0', sequence: 1 }));
    const { producerTimes } = logs.keys.partition('orders', 0);
    const [seconds] = await logs.ioredis.time();
    const lastMs = Number(await logs.ioredis.zscore(producerTimes, 'old-0'));
    expect(Number(seconds) * 1000 - lastMs).toBeLessThan(HOUR_MS);
  });
});

test('a producer id with separators in it stays one producer', async ({ logs }) => {
  const producerId = '1 0:1:2:3 %d+ {x}';
  expect(await logs.log.append(appendRequest({ producerId }))).toMatchObject({ status: 'APPENDED' });
  expect(await logs.log.append(appendRequest({ producerId }))).toMatchObject({ status: 'DUPLICATE' });
  expect(await kept(logs)).toEqual(new Set([producerId]));
});
