import { raiseProducerEpoch } from '@millrace/redis';
import { expect } from 'vitest';
import { test } from './log-fixture.ts';

const take = (session: string) => ({ producerId: 'billing', session, isTaking: true });
const raise = (session: string) => ({ producerId: 'billing', session, isTaking: false });

test('every taking of a name gives a higher epoch', async ({ logs }) => {
  const epochs: number[] = [];
  for (const session of ['a', 'b', 'b', 'c']) {
    const result = await raiseProducerEpoch(logs.ioredis, logs.keys, take(session));
    expect(result).toMatchObject({ status: 'RAISED' });
    if (result.status === 'RAISED') epochs.push(result.epoch);
  }
  expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b));
});

test('only who took the name last may raise its epoch', async ({ logs }) => {
  const { ioredis, keys } = logs;
  await raiseProducerEpoch(ioredis, keys, take('old'));
  expect(await raiseProducerEpoch(ioredis, keys, raise('old'))).toMatchObject({ status: 'RAISED' });
  await raiseProducerEpoch(ioredis, keys, take('new'));
  expect(await raiseProducerEpoch(ioredis, keys, raise('old'))).toEqual({ status: 'FENCED' });
  expect(await raiseProducerEpoch(ioredis, keys, raise('new'))).toMatchObject({ status: 'RAISED' });
});

test('a name that nobody took cannot be raised', async ({ logs }) => {
  expect(await raiseProducerEpoch(logs.ioredis, logs.keys, raise('a'))).toEqual({ status: 'FENCED' });
});

test('names do not share epochs', async ({ logs }) => {
  const { ioredis, keys } = logs;
  await raiseProducerEpoch(ioredis, keys, take('a'));
  await raiseProducerEpoch(ioredis, keys, { producerId: 'shipping', session: 'b', isTaking: true });
  expect(await raiseProducerEpoch(ioredis, keys, raise('a'))).toMatchObject({ status: 'RAISED' });
});

test('an epoch that a failover forgot is not given out again', async ({ logs }) => {
  const { ioredis, keys } = logs;
  await raiseProducerEpoch(ioredis, keys, take('a'));
  await ioredis.hdel(keys.producers, 'billing');
  const [seconds, microseconds] = await ioredis.time();
  const nowMs = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  const after = await raiseProducerEpoch(ioredis, keys, take('b'));
  expect(after).toMatchObject({ status: 'RAISED' });
  expect(after.status === 'RAISED' && after.epoch).toBeGreaterThanOrEqual(nowMs);
});

test('epochs go on rising above the clock', async ({ logs }) => {
  const { ioredis, keys } = logs;
  await ioredis.hset(keys.producers, 'billing', '9007199254740000 a');
  expect(await raiseProducerEpoch(ioredis, keys, raise('a'))).toEqual({
    status: 'RAISED',
    epoch: 9_007_199_254_740_001,
  });
});
