import { Cluster } from 'ioredis';
import { expect } from 'vitest';
import { eventually, startCluster } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

test('a Cluster takes writes on every slot range, fails over, and moves slots under a client', async () => {
  await using topology = await startCluster({ requirepass: 'pass "word"' });
  expect(topology.nodes.map(({ startedAs }) => startedAs)).toEqual([
    'primary',
    'primary',
    'primary',
    'replica',
    'replica',
    'replica',
  ]);
  const seeds = topology.connection.seeds;
  const redisOptions = { password: 'pass "word"' };
  const client = new Cluster([...seeds], { redisOptions, slotsRefreshTimeout: 5_000 });
  client.on('error', () => {});
  try {
    const keys = Array.from({ length: 30 }, (_, n) => `{moved}:${n}`);
    for (const key of [...keys, 'a', 'b', 'c', 'd']) await client.set(key, key);
    const owners = await Promise.all(['a', 'b', 'c'].map((key) => topology.primaryOf(key)));
    expect(new Set(owners.map(({ name }) => name)).size).toBe(3);

    const from = await topology.primaryOf('{moved}:0');
    const to = owners.find((owner) => owner !== from)!;
    const slot = await topology.slotOf('{moved}:0');
    expect(await topology.migrateSlot(slot, to, { keysPerStep: 7 })).toBe(30);
    expect(await topology.primaryOf('{moved}:0')).toBe(to);
    expect(await from.admin.call('CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe(0);
    for (const key of keys) expect(await client.get(key)).toBe(key);
    expect(await topology.migrateSlot(slot, to)).toBe(0);

    const heir = (await topology.replicasOf('{moved}:0'))[0];
    expect(await topology.failOver('{moved}:0')).toBe(heir);
    expect(await eventually(() => client.get('{moved}:0'))).toBe('{moved}:0');
    await topology.settle();
    expect((await topology.replicasOf('{moved}:0')).map(({ name }) => name)).toEqual([to.name]);

    // The same way back, by votes: the primary stands still and cannot agree.
    await heir!.freeze();
    expect(heir!.isRunning()).toBe(false);
    const [replica] = await topology.replicasOfNode(heir!);
    await replica!.admin.call('CLUSTER', 'FAILOVER', 'FORCE');
    await eventually(async () => (await topology.primaryOf('{moved}:0')) === to);
    await heir!.resume();
    await topology.settle();
    expect(await heir!.role()).toBe('replica');
  } finally {
    client.disconnect();
  }
});

test('the heir of a killed primary is found by the nodes, within their timeout', async () => {
  await using topology = await startCluster({ nodeTimeoutMs: 1_000, directives: { appendfsync: 'always' } });
  const first = await topology.primaryOf('key');
  expect(await first.admin.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
  await first.admin.set('key', 'value');
  await topology.settle();
  await first.kill();
  const second = await eventually(async () => {
    const primary = await topology.primaryOf('key').catch(() => null);
    return primary !== first && primary;
  });
  expect(await second.admin.get('key')).toBe('value');
  await first.restart();
  await topology.settle();
  expect(await topology.replicasOf('key')).toEqual([first]);
});
