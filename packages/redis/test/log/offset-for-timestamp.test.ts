import { encodeBatch } from '@millrace/redis';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { recordOf, test, type LogFixture } from './log-fixture.ts';

interface BatchSpec {
  readonly records: number;
  /** Append time: so much after the batch before. Often 0, as in a burst. */
  readonly laterMs: number;
}

const FIRST_MS = 1_700_000_000_000;

const batchSpecs: fc.Arbitrary<BatchSpec[]> = fc.array(
  fc.record({ records: fc.integer({ min: 1, max: 7 }), laterMs: fc.constantFrom(0, 0, 1, 2, 1000) }),
  { maxLength: 30 },
);

/** Writes a log with append times of our choice, and returns what the search should know of it. */
async function writeLog(logs: LogFixture, specs: readonly BatchSpec[]) {
  const { log, state } = logs.keys.partition('orders', 0);
  const pipeline = logs.ioredis.pipeline().del(log);
  const batches: { baseOffset: number; appendedMs: number }[] = [];
  let [offset, appendedMs] = [0, FIRST_MS];
  for (const { records, laterMs } of specs) {
    appendedMs += laterMs;
    batches.push({ baseOffset: offset, appendedMs });
    offset += records;
    const batch = encodeBatch(Array.from({ length: records }, () => recordOf('x')));
    pipeline.xadd(log, `0-${offset}`, 't', appendedMs, 'b', batch);
  }
  await pipeline.hset(state, 'start', 0, 'end', offset).exec();
  return batches;
}

describe('offsetForTimestamp', () => {
  test('finds what a walk through the log finds', async ({ logs }) => {
    await fc.assert(
      fc.asyncProperty(batchSpecs, async (specs) => {
        const batches = await writeLog(logs, specs);
        const times = new Set(
          batches.flatMap(({ appendedMs }) => [appendedMs - 1, appendedMs, appendedMs + 1]),
        );
        for (const timestampMs of [0, ...times]) {
          const expected = batches.find(({ appendedMs }) => appendedMs >= timestampMs)?.baseOffset ?? null;
          expect(await logs.log.offsetForTimestamp('orders', 0, timestampMs)).toBe(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('finds what a walk finds in a log that was trimmed', async ({ logs }) => {
    await fc.assert(
      fc.asyncProperty(batchSpecs, fc.nat(29), async (specs, trimmed) => {
        const batches = await writeLog(logs, specs);
        const { log, state } = logs.keys.partition('orders', 0);
        const rest = batches.slice(trimmed);
        const start = rest[0]?.baseOffset ?? 0;
        await logs.ioredis.xtrim(log, 'MINID', `0-${start + 1}`);
        await logs.ioredis.hset(state, 'start', start);
        for (const timestampMs of [0, ...rest.map(({ appendedMs }) => appendedMs)]) {
          const expected = rest.find(({ appendedMs }) => appendedMs >= timestampMs)?.baseOffset ?? null;
          if (rest.length > 0) {
            expect(await logs.log.offsetForTimestamp('orders', 0, timestampMs)).toBe(expected);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  test('is the start of the log where its first batch is cut by it', async ({ logs }) => {
    await writeLog(logs, [{ records: 5, laterMs: 0 }]);
    await logs.ioredis.hset(logs.keys.partition('orders', 0).state, 'start', 3);
    expect(await logs.log.offsetForTimestamp('orders', 0, FIRST_MS)).toBe(3);
  });

  test('is null for an empty log and for a time after the last append', async ({ logs }) => {
    expect(await logs.log.offsetForTimestamp('orders', 0, 0)).toBeNull();
    const { appendedMs } = await logs.append('a');
    expect(await logs.log.offsetForTimestamp('orders', 0, appendedMs + 1)).toBeNull();
    expect(await logs.log.offsetForTimestamp('orders', 0, appendedMs)).toBe(0);
  });

  test('ends when the stream was deleted under its state', async ({ logs }) => {
    await writeLog(logs, [{ records: 5, laterMs: 0 }]);
    await logs.ioredis.del(logs.keys.partition('orders', 0).log);
    expect(await logs.log.offsetForTimestamp('orders', 0, 0)).toBeNull();
  });

  test('refuses a partition that does not exist', async ({ logs }) => {
    await expect(logs.log.offsetForTimestamp('orders', 9, 0)).rejects.toMatchObject({
      code: 'UNKNOWN_PARTITION',
      details: { topic: 'orders', partition: 9 },
    });
  });
});
