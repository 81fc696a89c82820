/** What Redis 7.2 brought, on a Valkey 8: WAITAOF, and a WAIT that looks at the writes of its own connection alone. */
import { MissingToolError, eventually, provideValkey, startSingle, type RedisNode } from '@millrace/testkit';
import { beforeAll, expect, test as base } from 'vitest';
import { connect } from '../../src/index.ts';
import { failure, openVirtualProducer, readPartition } from '../client-fixture.ts';

const PREFIX = 'acks';
const FETCH_MS = 120_000;
let binary: string | undefined;

/** Fetched once, and only here. */
beforeAll(async () => {
  binary = await provideValkey().catch((error: unknown) => {
    if (error instanceof MissingToolError) return undefined;
    throw error;
  });
}, FETCH_MS);

const test = base.extend('valkey', async ({ skip }, { onCleanup }) => {
  if (binary === undefined) skip('no valkey-server, and none to be fetched');
  // Pings among servers would move the replication offset in between.
  const directives = { appendfsync: 'always', 'repl-ping-replica-period': '3600' };
  const topology = await startSingle({
    ...(binary === undefined ? {} : { binary }),
    replicas: 1,
    directives,
  });
  const [, replica] = topology.nodes;
  if (replica === undefined) throw new Error('one replica was asked for');
  const client = await connect({ url: topology.connection.url, prefix: PREFIX, name: 'acks', logger: false });
  onCleanup(async () => {
    await client.close();
    await topology.stop();
  });
  await client.admin.createTopic('orders', { partitions: 1 });
  return { url: topology.connection.url, client, primary: topology.primary, replica };
});

async function stored(node: RedisNode): Promise<(string | null)[]> {
  return (await readPartition(node.admin, PREFIX, 'orders', 0)).records.map(({ value }) => value);
}

async function callsOf(node: RedisNode, command: string): Promise<number> {
  const stats = await node.admin.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

test('fsynced: is acknowledged when it is on the disk, and survives the process', async ({ valkey }) => {
  const { client, primary } = valkey;
  const before = await callsOf(primary, 'waitaof');
  const producer = client.producer({ acks: 'fsynced' });
  expect(await producer.send('orders', { value: 'v' })).toMatchObject({ offset: 0 });
  expect(await callsOf(primary, 'waitaof')).toBeGreaterThan(before);
  await primary.restart('SIGKILL');
  expect(await stored(primary)).toEqual(['v']);
  expect(await producer.send('orders', { value: 'w' })).toMatchObject({ offset: 1 });
});

test('fsynced, on a replica too: is not acknowledged while that has it not', async ({ valkey }) => {
  const { client, url, primary, replica } = valkey;
  const safe = client.producer({ acks: 'fsynced', replicas: 1 });
  expect(await safe.send('orders', { value: 'a' })).toMatchObject({ offset: 0 });
  await replica.freeze();
  await using virtual = await openVirtualProducer(
    { url, prefix: PREFIX },
    { acks: 'fsynced', replicas: 1, ackTimeoutMs: 100 },
  );
  const failed = failure(virtual.producer.send('orders', { value: 'b' }));
  // How long it may block, the deadline, and the pause after the first try.
  await eventually(() => virtual.clock.pendingTimers === 3);
  await virtual.clock.advance(30_000);
  expect(await failed).toMatchObject({
    code: 'NOT_FSYNCED',
    details: { asked: 1, got: 0, isOnDisk: true, outcome: 'unknown' },
  });
  await replica.resume();
  expect(await stored(primary)).toEqual(['a', 'b']);
});

test('fsynced: a server without an append-only file is refused, and nothing is stored', async ({
  valkey,
}) => {
  const { client, primary } = valkey;
  await primary.admin.config('SET', 'appendonly', 'no');
  expect(await failure(client.producer({ acks: 'fsynced' }).send('orders', { value: 'v' }))).toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('"appendonly yes"'),
    details: { setting: 'appendonly' },
  });
  expect(await stored(primary)).toEqual([]);
});

test('replicated: a batch that is found again on a new connection is waited for all the same', async ({
  valkey,
}) => {
  const { client, primary, replica } = valkey;
  const producer = client.producer({ acks: 'replicated', ackTimeoutMs: 100 });
  await producer.send('orders', { value: 'a' });
  await replica.freeze();
  let isSettled = false;
  const sent = producer.send('orders', { value: 'b' }).finally(() => (isSettled = true));
  await eventually(async () => expect(await stored(primary)).toEqual(['a', 'b']));
  const clients = String(await primary.admin.client('LIST'));
  const writer = clients.split('\n').find((line) => line.includes(` name=${PREFIX}:acks:writer `));
  const id = /^id=(\d+)/.exec(writer ?? '')?.[1] ?? '';
  await primary.admin.config('RESETSTAT');
  expect(Number(await primary.admin.client('KILL', 'ID', id))).toBe(1);
  // The question whether it knows WAIT, and two tries; a WAIT that looks at no write would be content with the first.
  await eventually(async () => expect(await callsOf(primary, 'wait')).toBeGreaterThan(2));
  expect(isSettled).toBe(false);
  await replica.resume();
  expect(await sent).toMatchObject({ offset: 1 });
  expect(await stored(replica)).toEqual(['a', 'b']);
});
