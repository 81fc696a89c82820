/** Limits in append.lua and trim-partition.lua against the model, on random logs, groups and limits. */
import type { TopicLimits, VersionedLimits } from '@millrace/core';
import { encodeBatch, RedisPartitionStore, type RedisConnection } from '@millrace/redis';
import { eventually } from '@millrace/testkit';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { APPEND, TRIM_PARTITION } from '../../src/generated/lua.ts';
import type { LuaScript } from '../../src/run-script.ts';
import { appendBatch } from '../../src/log/append-batch.ts';
import { LogModel } from '../group/model/log-model.ts';
import { withFault } from '../with-fault.ts';
import { appendRequest, recordOf, test, type LogFixture } from './log-fixture.ts';

const HOUR_MS = 3_600_000;

const some = <T>(...values: T[]): fc.Arbitrary<T | undefined> => fc.constantFrom(undefined, ...values);

const anyLimits: fc.Arbitrary<TopicLimits> = fc.record({
  maxRecords: some(1, 5, 12),
  maxBytes: some(40, 150),
  onFull: some('refuse' as const, 'trim' as const),
  maxAgeMs: some(HOUR_MS),
  trimCommittedAfterMs: some<number | 'never'>(0, HOUR_MS, 'never'),
});

const anyStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('trim' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      group: fc.constantFrom('billing', 'audit'),
      /** Of what is there. */
      share: fc.constantFrom(0, 0.4, 0.8, 1, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limit' as const), limits: anyLimits }) },
  /** Everything that is there was appended two hours ago. */
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('age' as const) }) },
);

let runs = 0;

function sameInBothWorlds(logs: LogFixture, connection: RedisConnection) {
  const { ioredis, keys, topics } = logs;
  const store = new RedisPartitionStore(connection, keys);
  return fc.asyncProperty(
    anyLimits,
    fc.array(anyStep, { minLength: 15, maxLength: 30 }),
    async (first, steps) => {
      const topic = `run-${++runs}`;
      const at = keys.partition(topic, 0);
      const { log, state, groups } = at;
      await topics.create(topic, 1);
      const incarnation = (await topics.describe(topic))?.incarnation ?? '';
      const model = new LogModel();
      const committed = new Map<string, number>();
      let versioned: VersionedLimits = { version: 1, limits: first };
      model.limits = first;
      let sequence = 0;
      const trim = async (): Promise<void> => {
        const request = {
          topic,
          partition: 0,
          incarnation,
          groups: [...committed.keys()],
          limits: versioned,
        };
        const real = await store.trim(request);
        const expected = model.trim([...committed.values()], await nowMs(logs));
        // The time of the server goes on between the two.
        expect({ ...real, waitMs: kindOfWait(real) }).toEqual({ ...expected, waitMs: kindOfWait(expected) });
      };
      await trim();
      for (const step of steps) {
        switch (step.kind) {
          case 'append': {
            const values = Array.from({ length: step.count }, (_, index) => `v${sequence + index}`);
            const request = appendRequest({ topic, sequence, values });
            const real = await appendBatch(connection, keys, request);
            const expected = model.append(request, 'appendedMs' in real ? real.appendedMs : 0);
            expect(real).toMatchObject(expected);
            if (expected.status === 'APPENDED') sequence += step.count;
            break;
          }
          case 'trim':
            await trim();
            break;
          case 'commit': {
            const offset = Math.floor(model.start + (model.end - model.start) * step.share);
            committed.set(step.group, offset);
            await ioredis.sadd(groups, step.group);
            await ioredis.hset(at.group(step.group), 'committed', offset);
            break;
          }
          case 'limit':
            versioned = { version: versioned.version + 1, limits: step.limits };
            model.limits = step.limits;
            await trim();
            break;
          case 'age':
            await makeOld(logs, log);
            model.makeOld(2 * HOUR_MS);
            break;
        }
        const [start, end, bytes, entries] = await Promise.all([
          ioredis.hget(state, 'start'),
          ioredis.hget(state, 'end'),
          ioredis.hget(state, 'bytes'),
          ioredis.xrangeBuffer(log, '-', '+'),
        ]);
        const sum = entries.reduce((total, [, fields]) => total + (fields[3]?.length ?? 0), 0);
        expect({ start, end, bytes, sum, entries: entries.length }).toEqual({
          start: String(model.start),
          end: String(model.end),
          bytes: String(model.bytes),
          sum: model.bytes,
          entries: model.read(0, Infinity).length,
        });
      }
    },
  );
}

test('limits take away what the model says', { timeout: 60_000 }, async ({ logs }) => {
  await fc.assert(sameInBothWorlds(logs, logs.ioredis), { numRuns: 60, endOnFailure: true });
});

describe('a log that is far over its limit does not grow', () => {
  const many = 2_500;
  const value = 'v'.repeat(100);
  test.for<[string, TopicLimits, number, string]>([
    ['in records, by a batch of more than are taken away at a time', { maxRecords: 10 }, 2_000, 'v'],
    [
      'in bytes, by a batch of more than are taken away at a time',
      { maxBytes: 1_000 },
      1,
      value.repeat(2_500),
    ],
  ])('%s', { timeout: 60_000 }, async ([, limits, count, text], { logs }) => {
    const { keys, ioredis, log, topics } = logs;
    await Promise.all(
      Array.from({ length: many }, (_, sequence) =>
        appendBatch(ioredis, keys, appendRequest({ sequence, values: [value] })),
      ),
    );
    const before = await log.describe('orders', 0);
    await topics.setLimits('orders', { ...limits, onFull: 'trim' });
    const values = Array<string>(count).fill(text);
    expect((await appendBatch(ioredis, keys, appendRequest({ sequence: many, values }))).status).toBe(
      'APPENDED',
    );
    const { start = 0, end = 0, bytes = 0 } = (await log.describe('orders', 0)) ?? {};
    if (limits.maxRecords !== undefined) expect(end - start).toBeLessThanOrEqual(many);
    else expect(bytes).toBeLessThanOrEqual(before?.bytes ?? 0);
    const entries = await ioredis.xrangeBuffer(keys.partition('orders', 0).log, '-', '+');
    expect(entries.reduce((sum, [, fields]) => sum + (fields[3]?.length ?? 0), 0)).toBe(bytes);
  });
});

test.for([{ maxAgeMs: 1 }, { maxRecords: 1, onFull: 'trim' }, { trimCommittedAfterMs: 0 }] as const)(
  '%o leave what somebody else wrote behind the end, for it has no offset',
  async (limits, { logs }) => {
    const { ioredis, keys, topics } = logs;
    const { log, state } = keys.partition('orders', 0);
    const first = await logs.append('a', 'b');
    await ioredis.xadd(log, '0-900', 'hello', 'world');
    await eventually(async () => (await nowMs(logs)) > first.appendedMs + 1);
    const incarnation = (await topics.describe('orders'))?.incarnation ?? '';
    const result = await new RedisPartitionStore(ioredis, keys).trim({
      topic: 'orders',
      partition: 0,
      incarnation,
      groups: [],
      limits: { version: 1, limits },
    });
    expect(result).toMatchObject({ status: 'TRIMMED', logEnd: 2 });
    expect(Number(await ioredis.hget(state, 'start'))).toBeLessThanOrEqual(2);
    expect((await ioredis.xrange(log, '0-900', '0-900')).length).toBe(1);
  },
);

interface Fault {
  readonly what: string;
  readonly script: LuaScript;
  readonly from: string;
  readonly to: string;
}

const FAULTS: readonly Fault[] = [
  {
    what: 'what one group has not committed',
    script: TRIM_PARTITION,
    from: 'math.min(committed,',
    to: 'math.max(committed,',
  },
  {
    what: 'a partition without groups',
    script: TRIM_PARTITION,
    from: '#listed > 0 and logEnd or 0',
    to: 'logEnd',
  },
  {
    what: 'a batch that is half committed',
    script: TRIM_PARTITION,
    from: 'nextOffset <= committed',
    to: 'start < committed',
  },
  {
    what: 'what is not old enough',
    script: TRIM_PARTITION,
    from: 'isPressed() and 0 or keepMs - ageMs',
    to: '0',
  },
  { what: 'what is to stay for ever', script: TRIM_PARTITION, from: "keepMs == 'never'", to: 'false' },
  {
    what: 'the batch by which somebody finds out',
    script: TRIM_PARTITION,
    from: 'or nextOffset < logEnd then',
    to: 'or true then',
  },
  {
    what: 'bytes that are still counted',
    script: TRIM_PARTITION,
    from: 'bytes = math.max(0, bytes - #entry[2][4])',
    to: '',
  },
  {
    what: 'records that are still counted',
    script: TRIM_PARTITION,
    from: "redis.call('HSET', state, 'start', text(start))",
    to: '',
  },
  { what: 'more than is said', script: TRIM_PARTITION, from: 'text(start + 1)', to: 'text(start + 2)' },
  { what: 'old limits', script: TRIM_PARTITION, from: 'limits = catalogued', to: '' },
  { what: 'nothing after a refusal', script: TRIM_PARTITION, from: "s[7] == '1'", to: 'false' },
  {
    what: 'room for one batch too few',
    script: APPEND,
    from: 'baseOffset - start + count > maxRecords',
    to: 'baseOffset - start + count > maxRecords + 1',
  },
  {
    what: 'a larger log than may be',
    script: APPEND,
    from: 'bytes + #batch > maxBytes',
    to: 'bytes > maxBytes',
  },
  { what: 'what is to be refused', script: APPEND, from: "onFull == 'refuse' and isFull()", to: 'false' },
  { what: 'a batch that is never let in', script: APPEND, from: 'baseOffset > start', to: 'true' },
  { what: 'bytes of what was appended', script: APPEND, from: 'text(bytes + #batch)', to: 'text(bytes)' },
];

describe('the check finds that it trims, refuses or forgets', () => {
  test.for(FAULTS)('$what', { timeout: 60_000 }, async ({ script, from, to }, { logs }) => {
    expect(script.text).toContain(from);
    const faulty = withFault(logs.ioredis, script, script.text.replace(from, to));
    const found = await fc.check(sameInBothWorlds(logs, faulty), {
      seed: 1,
      numRuns: 200,
      endOnFailure: true,
    });
    expect(found.failed).toBe(true);
  });
});

function kindOfWait(result: { readonly status: string; readonly waitMs?: number | null }): string {
  const { waitMs } = result;
  if (waitMs === null || waitMs === undefined) return 'unknown';
  return waitMs === 0 ? 'none' : 'some';
}

async function nowMs({ ioredis }: LogFixture): Promise<number> {
  const [seconds, microseconds] = await ioredis.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

/** The same entries, with the time of two hours ago. */
async function makeOld(logs: LogFixture, log: string): Promise<void> {
  const old = (await nowMs(logs)) - 2 * HOUR_MS;
  const entries = await logs.ioredis.xrangeBuffer(log, '-', '+');
  if (entries.length === 0) return;
  await logs.ioredis.del(log);
  for (const [id, fields] of entries)
    await logs.ioredis.xadd(log, id, 't', String(old), 'b', fields[3] ?? encodeBatch([recordOf('')]));
}
