/** What a log holds at the ends of batches, as the client's own fingerprints say it. */
import { fingerprintOf, OtherServerError, readBatches } from '@millrace/redis';
import { describe, expect } from 'vitest';
import { readFingerprints } from '../../src/log/read-fingerprints.ts';
import { test } from './log-fixture.ts';

describe('read-fingerprints', () => {
  test('gives of each batch what the client makes of its bytes', async ({ logs }) => {
    for (const value of ['a', 'b', 'c']) await logs.append(value);
    const position = { topic: 'orders', partition: 0, offset: 0 };
    const batches = await readBatches(logs.reader, [position], { maxEntries: 10 });
    const read = await readFingerprints(logs.ioredis, logs.keys, 'orders', 0, [3, 1, 2]);
    expect(batches).toHaveLength(3);
    expect(read?.fingerprints).toEqual([2, 0, 1].map((index) => fingerprintOf(batches[index]!)));
    expect(new Set(read?.fingerprints).size).toBe(3);
    expect(read).toMatchObject({ logStart: 0, logEnd: 3, server: expect.stringMatching(/^\w{40}$/) });
  });

  test('gives nothing where no batch ends, and nothing for what Millrace has not written', async ({
    logs,
  }) => {
    await logs.append('a');
    const { log } = logs.keys.partition('orders', 0);
    await logs.ioredis.xadd(log, '0-7', 't', '1', 'b', 'short');
    await logs.ioredis.xadd(log, '0-9', 'hello', 'world');
    const read = await readFingerprints(logs.ioredis, logs.keys, 'orders', 0, [2, 7, 9, 100]);
    expect(read?.fingerprints).toEqual(['', '', '', '']);
  });

  test('asked for nothing tells where the log begins and ends; of no partition it is null', async ({
    logs,
  }) => {
    await logs.append('a');
    expect(await readFingerprints(logs.ioredis, logs.keys, 'orders', 0, [])).toMatchObject({
      logStart: 0,
      logEnd: 1,
      fingerprints: [],
    });
    expect(await readFingerprints(logs.ioredis, logs.keys, 'orders', 99, [1])).toBeNull();
  });
});

test('a read is used only when the server of its position answers', async ({ logs }) => {
  await logs.append('a');
  const server = (await readFingerprints(logs.ioredis, logs.keys, 'orders', 0, []))?.server ?? '';
  const read = (of: string) =>
    readBatches(logs.reader, [{ topic: 'orders', partition: 0, offset: 0, server: of }], {
      maxEntries: 10,
    });
  expect(await read(server)).toHaveLength(1);
  await expect(read('another')).rejects.toThrow(OtherServerError);
  await expect(read('another')).rejects.toMatchObject({ server });
});
