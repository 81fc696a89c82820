import { baseOffsetOf, decodeBatch, encodeBatch, fingerprintOf, readBatches } from '@millrace/redis';
import type { StoredBatch } from '@millrace/core';
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { appendRequest, recordOf, test, type LogFixture } from './log-fixture.ts';

function valuesOf(batches: readonly StoredBatch[]): string[] {
  return batches.flatMap((batch) => decodeBatch(batch.bytes).map((record) => String(record.value)));
}

function read(logs: LogFixture, offset: number, maxEntries = 100): Promise<StoredBatch[]> {
  return readBatches(logs.reader, [{ topic: 'orders', partition: 0, offset }], { maxEntries });
}

describe('readBatches', () => {
  test('gives what is at and after the position', async ({ logs }) => {
    await logs.append('a', 'b');
    const appended = await logs.append('c', 'd', 'e');
    await logs.append('f');
    const batches = await read(logs, 2);
    expect(valuesOf(batches)).toEqual(['c', 'd', 'e', 'f']);
    expect(batches[0]).toMatchObject({
      partition: 'orders/0',
      nextOffset: 5,
      appendedMs: appended.appendedMs,
    });
    expect(batches.map(baseOffsetOf)).toEqual([2, 5]);
  });

  test('begins with the batch that holds the position', async ({ logs }) => {
    await logs.append('a', 'b');
    await logs.append('c', 'd', 'e');
    const batches = await read(logs, 3);
    expect(batches.map(baseOffsetOf)).toEqual([2]);
  });

  test('gives nothing at the log end, and nothing of a partition that does not exist', async ({ logs }) => {
    await logs.append('a');
    expect(await read(logs, 1)).toEqual([]);
    const positions = [{ topic: 'payments', partition: 7, offset: 0 }];
    expect(await readBatches(logs.reader, positions, { maxEntries: 1 })).toEqual([]);
    expect(await readBatches(logs.reader, [], { maxEntries: 1 })).toEqual([]);
  });

  test('stops after maxEntries of each partition', async ({ logs }) => {
    for (const value of ['a', 'b', 'c']) await logs.append(value);
    expect(valuesOf(await read(logs, 0, 2))).toEqual(['a', 'b']);
  });

  test('gives batches that keep nothing in memory but themselves', async ({ logs }) => {
    await logs.topics.addPartitions('orders', 2);
    for (let count = 0; count < 20; count++) await logs.append('small');
    // What comes in one piece from the socket is of all partitions.
    await logs.log.append(appendRequest({ partition: 1, values: ['x'.repeat(200_000)] }));
    const positions = [0, 1].map((partition) => ({ topic: 'orders', partition, offset: 0 }));
    const batches = await readBatches(logs.reader, positions, { maxEntries: 20 });
    expect(batches.map(baseOffsetOf)).toEqual([...Array.from({ length: 20 }, (_, index) => index), 0]);
    const small = batches.slice(0, 20).map(({ bytes }) => bytes);
    const kept = new Set(small.map(({ buffer }) => buffer));
    expect([...kept].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(Buffer.concat(small).length);
    expect(valuesOf(batches.slice(0, 20))).toEqual(Array.from({ length: 20 }, () => 'small'));
  });

  test('keeps partitions apart, each in its order', async ({ logs }) => {
    await logs.topics.addPartitions('orders', 3);
    for (const partition of [0, 2, 1]) {
      for (let sequence = 0; sequence < 3; sequence++) {
        const batch = encodeBatch([recordOf(`${partition}:${sequence}`)]);
        const request = {
          topic: 'orders',
          partition,
          producerId: 'p',
          producerEpoch: 0,
          sequence,
          recordCount: 1,
          batch,
        };
        await logs.log.append(request);
      }
    }
    const positions = [0, 1, 2].map((partition) => ({ topic: 'orders', partition, offset: partition }));
    const batches = await readBatches(logs.reader, positions, { maxEntries: 10 });
    expect(valuesOf(batches)).toEqual(['0:0', '0:1', '0:2', '1:1', '1:2', '2:2']);
    expect(batches.map(({ partition }) => partition)).toEqual([
      'orders/0',
      'orders/0',
      'orders/0',
      'orders/1',
      'orders/1',
      'orders/2',
    ]);
  });

  test('waits for the next append when there is nothing', async ({ logs }) => {
    const position = { topic: 'orders', partition: 0, offset: 0 };
    const waiting = readBatches(logs.reader, [position], { maxEntries: 10, blockMs: 5_000 });
    await eventually(async () => /blocked_clients:[1-9]/.test(await logs.ioredis.info('clients')));
    await logs.append('a');
    expect(valuesOf(await waiting)).toEqual(['a']);
    const next = { ...position, offset: 1 };
    expect(await readBatches(logs.reader, [next], { maxEntries: 1, blockMs: 1 })).toEqual([]);
  });
});

describe('a log that is not what the position says is reported and never skipped', () => {
  test('OFFSET_OUT_OF_RANGE: the log begins after the position', async ({ logs }) => {
    await logs.append('a', 'b');
    await logs.append('c');
    await logs.ioredis.xtrim(logs.keys.partition('orders', 0).log, 'MAXLEN', 1);
    await expect(read(logs, 1)).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      details: { topic: 'orders', partition: 0, offset: 1, found: 2 },
    });
    expect(valuesOf(await read(logs, 2))).toEqual(['c']);
  });

  test('OFFSET_OUT_OF_RANGE: an entry in the middle is gone', async ({ logs }) => {
    for (const value of ['a', 'b', 'c']) await logs.append(value);
    await logs.ioredis.xdel(logs.keys.partition('orders', 0).log, '0-2');
    await expect(read(logs, 0)).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      details: { offset: 1, found: 2 },
    });
  });

  test('LOG_TRUNCATED: batches overlap', async ({ logs }) => {
    await logs.append('a', 'b', 'c');
    const overlapping = encodeBatch(['x', 'y'].map(recordOf));
    await logs.ioredis.xadd(logs.keys.partition('orders', 0).log, '0-4', 't', '1', 'b', overlapping);
    await expect(read(logs, 0)).rejects.toMatchObject({
      code: 'LOG_TRUNCATED',
      details: { offset: 3, found: 2 },
    });
  });

  test('LOG_TRUNCATED: another batch lies across a position that was the end of one', async ({ logs }) => {
    await logs.append('a', 'b', 'c', 'd');
    const position = { topic: 'orders', partition: 0, offset: 2 };
    const options = { maxEntries: 10 };
    await expect(
      readBatches(logs.reader, [{ ...position, atBatchStart: true }], options),
    ).rejects.toMatchObject({
      code: 'LOG_TRUNCATED',
      details: { topic: 'orders', partition: 0, offset: 2, found: 0 },
    });
    expect(await readBatches(logs.reader, [position], options)).toHaveLength(1);
  });

  test.for([
    ['an id with a time', '5-1', ['t', '1', 'b', encodeBatch([recordOf('x')])]],
    ['other fields', '0-1', ['hello', 'world']],
    ['a field too many', '0-1', ['t', '1', 'b', encodeBatch([recordOf('x')]), 'c', 'd']],
    ['fields in another order', '0-1', ['b', encodeBatch([recordOf('x')]), 't', '1']],
    ['a time that is none', '0-1', ['t', 'now', 'b', encodeBatch([recordOf('x')])]],
    ['an empty time', '0-1', ['t', '', 'b', encodeBatch([recordOf('x')])]],
    ['a batch of no records', '0-1', ['t', '1', 'b', Buffer.alloc(100)]],
    ['a batch of more records than offsets', '0-1', ['t', '1', 'b', encodeBatch(['x', 'y'].map(recordOf))]],
    ['a batch too short for a header', '0-1', ['t', '1', 'b', 'x']],
  ] as const)('FOREIGN_ENTRY: %s', async ([, id, fields], { logs }) => {
    await logs.ioredis.xadd(logs.keys.partition('orders', 0).log, id, ...fields);
    await expect(read(logs, 0)).rejects.toMatchObject({
      code: 'FOREIGN_ENTRY',
      details: { topic: 'orders', partition: 0, id },
    });
  });
});

describe('fingerprintOf', () => {
  test('is the append time and the checksum', async ({ logs }) => {
    const { appendedMs } = await logs.append('a');
    const [batch] = await read(logs, 0);
    const checksum = batch === undefined ? '' : Buffer.from(batch.bytes).toString('hex', 1, 5);
    expect(batch && fingerprintOf(batch)).toBe(`${appendedMs}-${checksum}`);
  });

  test('differs for other records at the same offsets and time', () => {
    const stored = (value: string): StoredBatch => {
      return { partition: 'orders/0', nextOffset: 1, appendedMs: 1, bytes: encodeBatch([recordOf(value)]) };
    };
    expect(fingerprintOf(stored('a'))).toBe(fingerprintOf(stored('a')));
    expect(fingerprintOf(stored('a'))).not.toBe(fingerprintOf(stored('b')));
  });
});
