/** Every status of append.lua, and what each leaves behind. */
import { encodeBatch, MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '@millrace/redis';
import { describe, expect } from 'vitest';
import { appendBatch } from '../../src/log/append-batch.ts';
import { appendRequest, recordOf, test, type LogFixture } from './log-fixture.ts';

function streamOf(logs: LogFixture): string {
  return logs.keys.partition('orders', 0).log;
}

async function end(logs: LogFixture): Promise<number | undefined> {
  return (await logs.log.describe('orders', 0))?.end;
}

/** Of the moment, of the server, and of the log. */
const told = {
  appendedMs: expect.any(Number),
  server: expect.stringMatching(/^\w{40}$/),
  incarnation: expect.stringMatching(/^\d+-[\w-]+$/),
};

describe('APPENDED', () => {
  test('gives dense offsets from 0 and ids of 0-<next offset>', async ({ logs }) => {
    const first = await logs.log.append(appendRequest({ values: ['a', 'b', 'c'] }));
    const second = await logs.log.append(appendRequest({ values: ['d'], sequence: 3 }));
    expect(first).toEqual({ status: 'APPENDED', baseOffset: 0, ...told });
    expect(second).toEqual({ status: 'APPENDED', baseOffset: 3, ...told });
    const ids = (await logs.ioredis.xrange(streamOf(logs), '-', '+')).map(([id]) => id);
    expect(ids).toEqual(['0-3', '0-4']);
    expect(await end(logs)).toBe(4);
  });

  test('stores the bytes as they came and the time of the server', async ({ logs }) => {
    const [seconds] = await logs.ioredis.time();
    const request = appendRequest({ values: ['\u0000\uffffé'] });
    const result = await logs.log.append(request);
    const entries = await logs.ioredis.xrangeBuffer(streamOf(logs), '-', '+');
    expect(entries[0]?.[1][3]).toEqual(request.batch);
    if (result.status !== 'APPENDED') throw new Error(result.status);
    expect(entries[0]?.[1][1]?.toString()).toBe(String(result.appendedMs));
    const kept = await logs.ioredis.hget(logs.keys.partition('orders', 0).state, 'appendedMs');
    expect(kept).toBe(String(result.appendedMs));
    // An hour of room: only the unit and the epoch are tested.
    expect(Math.abs(result.appendedMs - Number(seconds) * 1000)).toBeLessThan(3_600_000);
  });

  test('keeps its times from going back when the clock of the server does', async ({ logs }) => {
    const future = 4_000_000_000_000;
    await logs.append('a');
    await logs.ioredis.hset(logs.keys.partition('orders', 0).state, 'appendedMs', future);
    expect((await logs.append('b')).appendedMs).toBe(future);
    expect((await logs.append('c')).appendedMs).toBe(future);
  });

  test('counts exactly where doubles print as 1e+15', async ({ logs }) => {
    const { state, log } = logs.keys.partition('orders', 0);
    const base = 9_007_199_254_740_000;
    await logs.ioredis.xadd(log, `0-${base}`, 't', '1', 'b', encodeBatch([recordOf('old')]));
    await logs.ioredis.hset(state, 'end', String(base));
    const first = await logs.log.append(appendRequest({ values: ['a', 'b', 'c'] }));
    const second = await logs.log.append(appendRequest({ values: ['d'], sequence: 3 }));
    expect(first).toMatchObject({ status: 'APPENDED', baseOffset: base });
    expect(second).toMatchObject({ status: 'APPENDED', baseOffset: base + 3 });
    expect(await end(logs)).toBe(base + 4);
    const ids = (await logs.ioredis.xrange(log, '-', '+')).map(([id]) => id);
    expect(ids).toEqual([`0-${base}`, `0-${base + 3}`, `0-${base + 4}`]);
    expect(await logs.log.append(appendRequest({ values: ['d'], sequence: 3 }))).toMatchObject({
      status: 'DUPLICATE',
      baseOffset: base + 3,
    });
  });

  test('counts sequences exactly where doubles print as 1e+15', async ({ logs }) => {
    const base = 9_007_199_254_740_000;
    await logs.append('a');
    await logs.ioredis.hset(logs.keys.partition('orders', 0).producers, 'producer-1', `7 ${base}`);
    const request = appendRequest({ producerEpoch: 7, sequence: base, values: ['b', 'c'] });
    expect(await logs.log.append(request)).toMatchObject({ status: 'APPENDED', baseOffset: 1 });
    expect(await logs.log.append(request)).toMatchObject({ status: 'DUPLICATE', baseOffset: 1 });
    const gap = appendRequest({ producerEpoch: 7, sequence: base + 1 });
    expect(await logs.log.append(gap)).toEqual({ status: 'OUT_OF_ORDER_SEQUENCE', expected: base + 2 });
  });

  test('lets many producers share a partition', async ({ logs }) => {
    const results = await Promise.all(
      ['a', 'b', 'c', 'd'].map((producerId) =>
        logs.log.append(appendRequest({ producerId, values: ['x', 'y'] })),
      ),
    );
    const bases = results.map((result) => (result.status === 'APPENDED' ? result.baseOffset : -1));
    expect(bases.toSorted((a, b) => a - b)).toEqual([0, 2, 4, 6]);
  });
});

describe('DUPLICATE', () => {
  test('is the answer to the same batch, with the offsets and the time of the first one', async ({
    logs,
  }) => {
    const request = appendRequest({ values: ['a', 'b'] });
    const first = await logs.log.append(request);
    await logs.append('between');
    const second = await logs.log.append(request);
    expect(second).toEqual({ ...first, status: 'DUPLICATE' });
    expect(await end(logs)).toBe(3);
    expect(await logs.ioredis.xlen(streamOf(logs))).toBe(2);
  });

  test('is known for the last five batches, and not for the sixth', async ({ logs }) => {
    for (let sequence = 0; sequence < 6; sequence++) await logs.log.append(appendRequest({ sequence }));
    const answers = [];
    for (let sequence = 0; sequence < 6; sequence++)
      answers.push(await logs.log.append(appendRequest({ sequence })));
    expect(answers).toEqual([
      { status: 'OUT_OF_ORDER_SEQUENCE', expected: 6 },
      ...[1, 2, 3, 4, 5].map((baseOffset) => ({
        status: 'DUPLICATE',
        baseOffset,
        ...told,
      })),
    ]);
    expect(await end(logs)).toBe(6);
  });

  test('is not what a batch of another size at the same sequence gets', async ({ logs }) => {
    await logs.log.append(appendRequest({ values: ['a', 'b'] }));
    expect(await logs.log.append(appendRequest({ values: ['a'] }))).toEqual({
      status: 'OUT_OF_ORDER_SEQUENCE',
      expected: 2,
    });
  });

  test('is one entry, however often the call is repeated at once', async ({ logs }) => {
    const request = appendRequest({ values: ['a', 'b'] });
    const results = await Promise.all(Array.from({ length: 20 }, () => logs.log.append(request)));
    expect(results.filter(({ status }) => status === 'APPENDED')).toHaveLength(1);
    expect(results.filter(({ status }) => status === 'DUPLICATE')).toHaveLength(19);
    expect(await end(logs)).toBe(2);
  });

  test('survives a flush of the script cache between the two calls', async ({ logs }) => {
    await logs.log.append(appendRequest());
    await logs.ioredis.script('FLUSH');
    expect(await logs.log.append(appendRequest())).toMatchObject({ status: 'DUPLICATE', baseOffset: 0 });
  });
});

test('UNKNOWN_PARTITION: nothing is made for a partition that nobody created', async ({ logs }) => {
  expect(await logs.log.append(appendRequest({ partition: 1 }))).toEqual({ status: 'UNKNOWN_PARTITION' });
  expect(await logs.log.append(appendRequest({ topic: 'payments' }))).toEqual({
    status: 'UNKNOWN_PARTITION',
  });
  expect(await logs.ioredis.keys(`${logs.keys.prefix}:{orders/1}*`)).toEqual([]);
});

describe('PRODUCER_FENCED', () => {
  test('refuses an older epoch of the same producer', async ({ logs }) => {
    await logs.log.append(appendRequest({ producerEpoch: 3 }));
    await logs.log.append(appendRequest({ producerEpoch: 4 }));
    expect(await logs.log.append(appendRequest({ producerEpoch: 3, sequence: 1 }))).toEqual({
      status: 'PRODUCER_FENCED',
      epoch: 4,
    });
    expect(await end(logs)).toBe(2);
  });

  test('refuses even the batch that was appended in the older epoch', async ({ logs }) => {
    await logs.log.append(appendRequest({ producerEpoch: 1 }));
    await logs.log.append(appendRequest({ producerEpoch: 2 }));
    expect(await logs.log.append(appendRequest({ producerEpoch: 1 }))).toMatchObject({
      status: 'PRODUCER_FENCED',
    });
  });

  test('holds within a partition and a producer only', async ({ logs }) => {
    await logs.topics.addPartitions('orders', 2);
    await logs.log.append(appendRequest({ producerEpoch: 9 }));
    expect(await logs.log.append(appendRequest({ partition: 1 }))).toMatchObject({ status: 'APPENDED' });
    expect(await logs.log.append(appendRequest({ producerId: 'other' }))).toMatchObject({
      status: 'APPENDED',
    });
  });
});

test('UNKNOWN_PRODUCER: a sequence above 0 follows nothing', async ({ logs }) => {
  expect(await logs.log.append(appendRequest({ sequence: 5 }))).toEqual({ status: 'UNKNOWN_PRODUCER' });
  expect(await end(logs)).toBe(0);
});

describe('OUT_OF_ORDER_SEQUENCE', () => {
  test('refuses a gap and names the sequence that is next', async ({ logs }) => {
    await logs.log.append(appendRequest({ values: ['a', 'b'] }));
    expect(await logs.log.append(appendRequest({ sequence: 3 }))).toEqual({
      status: 'OUT_OF_ORDER_SEQUENCE',
      expected: 2,
    });
    expect(await end(logs)).toBe(2);
  });

  test('lets a higher epoch begin at 0 only', async ({ logs }) => {
    await logs.log.append(appendRequest({ producerEpoch: 1, values: ['a', 'b'] }));
    expect(await logs.log.append(appendRequest({ producerEpoch: 2, sequence: 2 }))).toEqual({
      status: 'OUT_OF_ORDER_SEQUENCE',
      expected: 0,
    });
    expect(await logs.log.append(appendRequest({ producerEpoch: 2 }))).toMatchObject({ status: 'APPENDED' });
  });

  test('forgets the batches of the epoch before', async ({ logs }) => {
    await logs.log.append(appendRequest({ producerEpoch: 1 }));
    await logs.log.append(appendRequest({ producerEpoch: 2 }));
    const kept = await logs.ioredis.hget(logs.keys.partition('orders', 0).producers, 'producer-1');
    expect(kept).toMatch(/^2 1 0:1:1:\d+$/);
  });
});

describe('TOO_LARGE', () => {
  const limits = { status: 'TOO_LARGE', maxBytes: MAX_BATCH_BYTES, maxRecords: MAX_BATCH_RECORDS };

  test('the limit of bytes is that of the encoder, to the byte', async ({ logs }) => {
    const request = { ...appendRequest(), batch: Buffer.alloc(MAX_BATCH_BYTES) };
    expect(await appendBatch(logs.ioredis, logs.keys, request)).toMatchObject({ status: 'APPENDED' });
    const larger = { ...appendRequest({ sequence: 1 }), batch: Buffer.alloc(MAX_BATCH_BYTES + 1) };
    expect(await appendBatch(logs.ioredis, logs.keys, larger)).toEqual(limits);
    expect(await end(logs)).toBe(1);
  });

  test('the limit of records is that of the encoder, to the record', async ({ logs }) => {
    const request = { ...appendRequest(), recordCount: MAX_BATCH_RECORDS };
    expect(await appendBatch(logs.ioredis, logs.keys, request)).toMatchObject({ status: 'APPENDED' });
    const more = { ...appendRequest(), sequence: MAX_BATCH_RECORDS, recordCount: MAX_BATCH_RECORDS + 1 };
    expect(await appendBatch(logs.ioredis, logs.keys, more)).toEqual(limits);
    expect(await end(logs)).toBe(MAX_BATCH_RECORDS);
  });

  test('a batch of no records is refused', async ({ logs }) => {
    expect(await appendBatch(logs.ioredis, logs.keys, { ...appendRequest(), recordCount: 0 })).toEqual(
      limits,
    );
  });
});

describe('FOREIGN_ENTRY', () => {
  test('names an entry that somebody added with an id of its own', async ({ logs }) => {
    await logs.append('a', 'b');
    const id = await logs.ioredis.xadd(streamOf(logs), '*', 'hello', 'world');
    expect(await appendBatch(logs.ioredis, logs.keys, appendRequest())).toEqual({
      status: 'FOREIGN_ENTRY',
      id,
    });
    expect(await end(logs)).toBe(2);
  });

  test('names an entry that pretends to be one of ours', async ({ logs }) => {
    await logs.append('a', 'b');
    await logs.ioredis.xadd(streamOf(logs), '0-7', 't', '1', 'b', encodeBatch([recordOf('x')]));
    const request = appendRequest({ values: Array.from({ length: 20 }, () => 'y') });
    expect(await appendBatch(logs.ioredis, logs.keys, request)).toEqual({
      status: 'FOREIGN_ENTRY',
      id: '0-7',
    });
  });

  test('is noticed in a log that is still empty', async ({ logs }) => {
    const id = await logs.ioredis.xadd(streamOf(logs), '*', 'hello', 'world');
    expect(await appendBatch(logs.ioredis, logs.keys, appendRequest())).toEqual({
      status: 'FOREIGN_ENTRY',
      id,
    });
  });

  test('is noticed when the entry was deleted again', async ({ logs }) => {
    await logs.append('a');
    const id = (await logs.ioredis.xadd(streamOf(logs), '*', 'hello', 'world')) ?? '';
    await logs.ioredis.xdel(streamOf(logs), id);
    expect(await appendBatch(logs.ioredis, logs.keys, appendRequest())).toEqual({
      status: 'FOREIGN_ENTRY',
      id,
    });
    expect(await end(logs)).toBe(1);
  });

  test('is thrown by the log as an error that names partition and entry', async ({ logs }) => {
    const id = await logs.ioredis.xadd(streamOf(logs), '*', 'password', 'hunter2');
    const failure = logs.log.append(appendRequest());
    await expect(failure).rejects.toMatchObject({
      code: 'FOREIGN_ENTRY',
      retryable: false,
      details: { topic: 'orders', partition: 0, id },
    });
    await expect(failure).rejects.not.toThrow('hunter2');
  });
});

describe('LOG_MISSING', () => {
  test('a stream that was deleted under its state is not begun again', async ({ logs }) => {
    await logs.append('a', 'b');
    await logs.ioredis.del(streamOf(logs));
    expect(await appendBatch(logs.ioredis, logs.keys, appendRequest())).toEqual({
      status: 'LOG_MISSING',
      logEnd: 2,
    });
    expect(await logs.ioredis.exists(streamOf(logs))).toBe(0);
    await expect(logs.log.append(appendRequest())).rejects.toMatchObject({
      code: 'LOG_TRUNCATED',
      details: { topic: 'orders', partition: 0, logEnd: 2 },
    });
  });

  test('a stream that was trimmed to nothing goes on', async ({ logs }) => {
    await logs.append('a', 'b');
    await logs.ioredis.xtrim(streamOf(logs), 'MAXLEN', 0);
    expect(await logs.append('c')).toMatchObject({ baseOffset: 2 });
  });
});
