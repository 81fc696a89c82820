/** Topologies behind proxies: clients are led through them, and a fault hits the link that it is meant for. */
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { eventually, startCluster, startSentinel, startSingle } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

test('a link to a replica can be cut alone, and what the replica has missed is lost with the primary', async () => {
  await using topology = await startSingle({ proxied: true, replicas: 2 });
  const { primary } = topology;
  expect(topology.connection.url).toBe(`redis://127.0.0.1:${primary.announcedPort}`);
  const client = new Redis(topology.connection.url, { retryStrategy: () => null });
  client.on('error', () => {});
  try {
    await client.set('key', 'kept');
    expect(await client.wait(2, 5_000)).toBe(2);
    expect(primary.proxy?.connections.map(({ link, peer }) => `${link} ${peer}`).sort()).toEqual([
      'client undefined',
      'replica replica-1',
      'replica replica-2',
    ]);
    const [first, second] = topology.nodes.slice(1);
    const cut = primary.proxy!.apply(
      { kind: 'reset' },
      { links: ['replica'], select: ({ peer }) => peer === first!.name },
    );
    await client.set('key', 'missed');
    expect(await client.wait(1, 5_000)).toBe(1);
    expect([await first!.admin.get('key'), await second!.admin.get('key')]).toEqual(['kept', 'missed']);
    await primary.kill();
    cut.heal();
    await first!.admin.replicaof('NO', 'ONE');
    expect(await first!.admin.get('key')).toBe('kept');
  } finally {
    client.disconnect();
  }
});

test('Sentinels name the proxies, and depose a primary that only they cannot reach', async () => {
  await using topology = await startSentinel({ proxied: true });
  const [sentinel] = topology.connection.sentinels;
  expect(sentinel).toEqual({ host: '127.0.0.1', port: topology.sentinels[0]!.announcedPort });
  const client = new Redis({ sentinels: [...topology.connection.sentinels], name: 'millrace' });
  client.on('error', () => {});
  try {
    await client.set('key', 'one');
    const first = await topology.primaryOf('key');
    const { proxy } = first;
    expect(proxy!.connections.filter(({ link }) => link === 'client')).toHaveLength(1);
    const isolated = proxy!.apply({ kind: 'blackhole' }, { links: ['sentinel', 'replica'] });
    const heir = await eventually(async () => {
      const primary = await topology.primaryOf('key').catch(() => null);
      return primary !== first && primary;
    });
    // Two take writes now. The client was led to the first, and nobody has told it otherwise.
    expect(await client.set('key', 'split')).toBe('OK');
    expect([await first.role(), await heir.role()]).toEqual(['primary', 'primary']);
    isolated.heal();
    await topology.settle();
    expect(await first.role()).toBe('replica');
    expect(await eventually(() => client.get('key'))).toBe('one');
    expect(heir.proxy!.connections.some(({ link }) => link === 'client')).toBe(true);
  } finally {
    client.disconnect();
  }
});

test('Cluster nodes announce their proxies, and replicas go through them', async () => {
  await using topology = await startCluster({ proxied: true });
  const [node] = topology.nodes;
  const client = new Redis(topology.connection.seeds[0]!, { retryStrategy: () => null });
  client.on('error', () => {});
  try {
    const view = String(await client.cluster('NODES'));
    const told = [...view.matchAll(/ 127\.0\.0\.1:(\d+)@/g)].map(([, port]) => Number(port));
    expect(new Set(told)).toEqual(new Set(topology.nodes.map(({ announcedPort }) => announcedPort)));
    expect(new Set(told)).not.toContain(node!.port);
    const [replica] = await topology.replicasOfNode(node!);
    expect(node!.proxy!.connections.map(({ link, peer }) => ({ link, peer }))).toContainEqual({
      link: 'replica',
      peer: replica!.name,
    });
  } finally {
    client.disconnect();
  }
});
