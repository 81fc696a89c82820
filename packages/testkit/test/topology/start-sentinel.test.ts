import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { eventually, startSentinel } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { isRunning } from '../is-running.ts';

test('Sentinels lead a client to the primary, and to its heir after a failover and a crash', async () => {
  const password = 'pass "word" @/#';
  const topology = await startSentinel({ requirepass: password, sentinelPassword: 'other' });
  await using _stop = topology;
  const { kind, name, sentinels, database } = topology.connection;
  expect({ kind, name, database }).toEqual({ kind: 'sentinel', name: 'millrace', database: 0 });
  expect(topology.nodes.map(({ name }) => name)).toEqual([
    'primary',
    'replica-1',
    'replica-2',
    'sentinel-1',
    'sentinel-2',
    'sentinel-3',
  ]);

  const client = new Redis({ sentinels: [...sentinels], name, password, sentinelPassword: 'other' });
  client.on('error', () => {});
  try {
    await client.set('key', 'one');
    const first = await topology.primaryOf('key');
    expect(first.name).toBe('primary');
    expect((await topology.replicasOf('key')).map(({ name }) => name)).toEqual(['replica-1', 'replica-2']);
    expect(await client.wait(2, 5_000)).toBe(2);

    const second = await topology.failOver();
    expect(second.startedAs).toBe('replica');
    // Until the previous primary has been told, it takes writes that nobody will keep.
    await topology.settle();
    expect(await eventually(() => client.set('key', 'two'))).toBe('OK');
    expect(await client.wait(2, 5_000)).toBe(2);

    await second.kill();
    // Sentinels whose votes were split try again after a while.
    await eventually(
      async () => {
        expect(await topology.primaryOf('key')).not.toBe(second);
      },
      { timeoutMs: 40_000 },
    );
    expect(await eventually(() => client.get('key'))).toBe('two');

    await second.restart();
    await topology.settle();
    expect(await second.role()).toBe('replica');
    expect((await topology.replicasOf('key')).length).toBe(2);
  } finally {
    client.disconnect();
  }
  const pids = topology.nodes.map(({ pid }) => pid);
  await topology.stop();
  expect(pids.filter(isRunning)).toEqual([]);
  expect(topology.nodes.filter(({ folder }) => existsSync(folder))).toEqual([]);
}, 90_000);

test('a Sentinel that was killed comes back knowing what it had learned', async () => {
  await using topology = await startSentinel({ replicas: 1, downAfterMs: 500 });
  const [sentinel] = topology.sentinels;
  await sentinel!.kill();
  expect(sentinel!.isRunning()).toBe(false);
  await topology.failOver();
  await sentinel!.restart();
  await topology.settle();
  expect(await sentinel!.role()).toBe('sentinel');
});
