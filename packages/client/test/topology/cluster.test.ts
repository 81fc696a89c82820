/** A group on a Redis Cluster: partitions in many slots, on three primaries with a replica each. */
import { createKeys, hashSlot } from '@millrace/redis';
import { eventually, startCluster, startProcess, type ClusterTopology } from '@millrace/testkit';
import { afterAll, beforeAll, expect } from 'vitest';
import { test } from '@millrace/testkit/vitest';
import { connect, type ConnectOptions } from '../../src/index.ts';
import { GROUP, GroupUnderLoad, TOPIC } from './group-under-load.ts';

let topology: ClusterTopology;

beforeAll(async () => {
  topology = await startCluster({ nodeTimeoutMs: 1_000 });
}, 60_000);

afterAll(async () => {
  await topology.stop();
});

/** What a failover may tell, and nothing else. */
const TRANSIENT = new Set(['REDIS_UNREACHABLE', 'REDIS_REFUSED']);

function options(prefix: string): ConnectOptions {
  return { cluster: { seeds: topology.connection.seeds }, prefix };
}

function unexpected(group: GroupUnderLoad): string[] {
  return [...group.codes].filter((code) => !TRANSIENT.has(code));
}

test('slots that move under load lose nothing', async () => {
  const keys = createKeys('moving');
  await using group = await GroupUnderLoad.start(options(keys.prefix), { partitions: 12, members: 3 });
  group.beginToSend();
  await group.untilAnother(200);
  expect(group.codes).toEqual(new Set());
  expect(group.redelivered).toBe(0);
  // The group's own slot, where its leases and its leader are, and those of three partitions.
  const moving = [
    keys.group(GROUP).state,
    ...[0, 1, 2].map((partition) => keys.partition(TOPIC, partition).log),
  ];
  for (const key of moving) {
    const from = await topology.primaryOf(key);
    const to = await topology.primaryOf(keys.partition(TOPIC, 3).log);
    const other = to === from ? await topology.primaryOf(keys.partition(TOPIC, 4).log) : to;
    await topology.migrateSlot(hashSlot(key), other, { keysPerStep: 1, pauseMs: 20 });
    await group.untilAnother(100);
  }
  await group.settle();
  expect(unexpected(group)).toEqual([]);
  expect(group.members.map((member) => member.assignment().length)).toEqual([4, 4, 4]);
}, 60_000);

test('an orderly failover, and a primary that is killed, lose no record that a replica had', async () => {
  const keys = createKeys('failing');
  await using group = await GroupUnderLoad.start(options(keys.prefix), { partitions: 12, members: 3 });
  group.beginToSend({ acks: 'replicated' });
  await group.untilAnother(100);
  await topology.failOver(keys.partition(TOPIC, 0).log);
  await group.untilAnother(100);
  await topology.settle();
  const killed = await topology.primaryOf(keys.group(GROUP).state);
  await killed.kill();
  await eventually(async () => (await topology.primaryOf(keys.group(GROUP).state)) !== killed);
  // As a replica: until then nobody could confirm what the heir stores.
  await killed.restart();
  await group.untilAnother(100);
  await topology.settle();
  await group.settle();
  // Records that a member had read before the replica had them were not acknowledged; that they are gone is told.
  expect(unexpected(group).filter((code) => code !== 'LOG_TRUNCATED')).toEqual([]);
}, 60_000);

test('one member waits for all partitions of a topic, each on its own', async () => {
  const partitions = 30;
  await using group = await GroupUnderLoad.start(options('many'), { partitions, members: 1 });
  await using producer = group.millrace.producer();
  for (let round = 0; round < 3; round++) {
    const values = Array.from({ length: partitions }, (_, partition) => `${round}/${partition}`);
    // One after the other, so that each has to be noticed by itself.
    for (const [partition, value] of values.entries()) await producer.send(TOPIC, { partition, value });
    await group.untilDelivered(values);
  }
  expect(group.codes).toEqual(new Set());
}, 60_000);

test('a member that is killed is found by its presence, and its partitions go on at once', async () => {
  await using group = await GroupUnderLoad.start(options('killed'), { partitions: 6, members: 2 });
  await using victim = await startProcess<{ readonly type: 'owns'; readonly partitions: number }>({
    module: new URL('member-process.ts', import.meta.url),
    args: [JSON.stringify({ ...options('killed'), group: GROUP, topic: TOPIC })],
  });
  await victim.waitFor(({ partitions }) => partitions === 2);
  await victim.signal('SIGKILL');
  await group.untilSpread(6);
  const events = await group.millrace.admin.groupEvents(GROUP);
  // By its lease it would have taken ten seconds.
  expect(events.find(({ type }) => type === 'member-evicted')?.fields['reason']).toBe('presence');
}, 60_000);

test('connections go with the client', async () => {
  await using client = await connect({ ...options('closing'), name: 'closing', logger: false });
  await client.admin.createTopic(TOPIC, { partitions: 6 });
  await using consumer = client.consumer({ group: GROUP, topics: [TOPIC] });
  await consumer.run({ eachRecord: () => {} });
  await eventually(() => consumer.assignment().length === 6);
  const names = async (): Promise<string> =>
    (
      await Promise.all(
        topology.nodes.filter((node) => node.isRunning()).map((node) => node.admin.client('LIST')),
      )
    ).join('');
  expect(await names()).toContain('name=closing:closing:lease');
  await client.close();
  await eventually(async () => expect(await names()).not.toContain('name=closing:'));
});
