/** Faults of the server itself: its clock, its disk, its crash with a tail that nobody else has. */
import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import {
  createFakeClock,
  eventually,
  killWithLoss,
  MissingToolError,
  markAof,
  startSentinel,
  startSingle,
  truncateAof,
} from '@millrace/testkit';
import type { RedisNode } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

const serverTimeMs = async (node: RedisNode): Promise<number> => Number((await node.admin.time())[0]) * 1_000;

test(
  'the clock of Redis can be set forward and back while it runs, and its timers go on',
  { timeout: 120_000 }, // where libfaketime is not there yet, it is installed
  async ({ skip }) => {
    const clock = await createFakeClock().catch((error: unknown) => {
      if (error instanceof MissingToolError) return undefined;
      throw error;
    });
    if (clock === undefined) {
      skip('no libfaketime, and no right to install it');
      return;
    }
    await using _clock = clock;
    await using topology = await startSingle({
      replicas: 1,
      clock: (name) => (name === 'primary' ? clock : undefined),
    });
    const [primary, replica] = topology.nodes;
    await primary!.admin.set('key', 'value', 'PX', 600_000);
    expect(Math.abs((await serverTimeMs(primary!)) - Date.now())).toBeLessThan(60_000);

    await clock.setOffset(900_000);
    await eventually(async () => {
      expect((await serverTimeMs(primary!)) - Date.now()).toBeGreaterThan(890_000);
    });
    expect(await primary!.admin.get('key')).toBeNull();
    expect(Math.abs((await serverTimeMs(replica!)) - Date.now())).toBeLessThan(60_000);

    await clock.setOffset(-900_000);
    await eventually(async () => {
      expect((await serverTimeMs(primary!)) - Date.now()).toBeLessThan(-890_000);
    });
    // The event loop counts by the monotonic clock; by the other one, this would take half an hour.
    expect(await primary!.admin.blpop('nothing', 0.1)).toBeNull();
  },
);

test('the end of the append-only file is gone after a power loss, and the server starts without it', async () => {
  await using topology = await startSingle();
  const { primary } = topology;
  await primary.admin.set('kept', '1');
  await primary.admin.config('SET', 'appendfsync', 'always');
  const mark = await markAof(primary);
  await primary.admin.eval("redis.call('SET', KEYS[1], 1) redis.call('SET', KEYS[2], 1)", 2, 'one', 'two');
  await expect(truncateAof(primary, { to: mark })).rejects.toThrow(/kill it first/);
  await primary.kill();
  // Into the middle of what the script wrote: it must go as a whole.
  expect(await truncateAof(primary, { bytes: 10 })).toBe(10);
  await primary.restart();
  expect(await primary.admin.mget('kept', 'one', 'two')).toEqual(['1', null, null]);

  await primary.admin.set('three', '1');
  await primary.kill();
  expect(await truncateAof(primary, { to: mark })).toBeGreaterThan(0);
  await primary.restart();
  expect(await primary.admin.mget('kept', 'three')).toEqual(['1', null]);
});

test('a server without an append-only file has none to truncate', async () => {
  await using topology = await startSingle({ directives: { appendonly: 'no' } });
  await topology.primary.kill();
  await expect(truncateAof(topology.primary, { bytes: 1 })).rejects.toThrow(/is appendonly on/);
});

test('a primary killed with its replicas cut off takes what they have missed with it', async () => {
  await using topology = await startSentinel({ proxied: true });
  const primary = await topology.primaryOf('key');
  await primary.admin.set('key', 'kept');
  expect(await primary.admin.wait(2, 5_000)).toBe(2);
  await killWithLoss(primary, async () => {
    await primary.admin.set('key', 'lost');
  });
  const heir = await eventually(async () => {
    const next = await topology.primaryOf('key').catch(() => null);
    return next !== primary && next;
  });
  expect(await heir.admin.get('key')).toBe('kept');
  expect(existsSync(primary.folder)).toBe(true);
});

test('replicas that no proxy leads to cannot be cut off', async () => {
  await using topology = await startSingle();
  await expect(killWithLoss(topology.primary, async () => {})).rejects.toThrow(/proxied: true/);
  expect(topology.primary.isRunning()).toBe(true);
});
