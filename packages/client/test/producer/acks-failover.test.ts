/** Waiting for replicas where the primary moves: what was acknowledged is there, what was under way is sent again. */
import { createKeys } from '@millrace/redis';
import { eventually, startCluster, startSentinel, type RedisNode } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { connect, type RecordMetadata } from '../../src/index.ts';

const PREFIX = 'acks';
const PARTITIONS = 8;
const keys = createKeys(PREFIX);
const stateOf = (partition: number): string => keys.partition('orders', partition).state;

function offsets(sent: readonly RecordMetadata[]): number[] {
  return sent.toSorted((one, other) => one.partition - other.partition).map(({ offset }) => offset);
}

/** The log end as this server has it; a replica of a cluster too. */
async function endAt(node: RedisNode, partition: number): Promise<number> {
  await node.admin.call('READONLY').catch(() => {});
  return Number(await node.admin.hget(stateOf(partition), 'end'));
}

/** Sentinels and nodes need their time to agree that a server is gone; a busy machine needs more of it. */
const AGREEMENT_MS = 60_000;

const everyPartition = Array.from({ length: PARTITIONS }, (_, partition) => partition);

test(
  'in a cluster each node is waited for by itself, and failovers are followed',
  { timeout: AGREEMENT_MS },
  async () => {
    await using cluster = await startCluster();
    await using client = await connect({
      cluster: { seeds: cluster.connection.seeds },
      prefix: PREFIX,
      logger: false,
    });
    await client.admin.createTopic('orders', { partitions: PARTITIONS });
    const producer = client.producer({ acks: 'replicated', ackTimeoutMs: 500 });
    const sendToAll = (): Promise<RecordMetadata[]> =>
      Promise.all(everyPartition.map((partition) => producer.send('orders', { partition, value: 'v' })));

    expect(offsets(await sendToAll())).toEqual(everyPartition.map(() => 0));
    for (const partition of everyPartition) {
      const [replica] = await cluster.replicasOf(stateOf(partition));
      expect(replica && (await endAt(replica, partition))).toBe(1);
    }

    await cluster.failOver(stateOf(0));
    expect(offsets(await sendToAll())).toEqual(everyPartition.map(() => 1));

    const victim = await cluster.primaryOf(stateOf(0));
    await victim.kill();
    // The heir of its slots has no replica before the victim is back.
    const sent = sendToAll();
    await eventually(async () => (await cluster.primaryOf(stateOf(0))) !== victim, { timeoutMs: 30_000 });
    await victim.restart();
    expect(offsets(await sent)).toEqual(everyPartition.map(() => 2));
    await cluster.settle();
    for (const partition of everyPartition) {
      const primary = await cluster.primaryOf(stateOf(partition));
      expect(await endAt(primary, partition)).toBe(3);
    }
  },
);

test(
  'behind Sentinels, a killed primary loses nothing that was acknowledged',
  { timeout: AGREEMENT_MS },
  async () => {
    // With two replicas, only what both have is safe whichever of them is chosen.
    await using redis = await startSentinel();
    const { name, sentinels } = redis.connection;
    await using client = await connect({ sentinel: { name, sentinels }, prefix: PREFIX, logger: false });
    await client.admin.createTopic('orders', { partitions: 1 });
    const producer = client.producer({ acks: 'replicated', replicas: 2, ackTimeoutMs: 500 });
    for (let offset = 0; offset < 20; offset++)
      expect(await producer.send('orders', { value: 'v' })).toMatchObject({ offset });

    const victim = await redis.primaryOf(stateOf(0));
    await victim.kill();
    const sent = producer.send('orders', { value: 'sent while nobody leads' });
    await eventually(async () => (await redis.primaryOf(stateOf(0))) !== victim, { timeoutMs: 30_000 });
    // It comes back as the second replica that has to have it.
    await victim.restart();
    expect(await sent).toMatchObject({ offset: 20 });
    const primary = await redis.primaryOf(stateOf(0));
    expect(await endAt(primary, 0)).toBe(21);
  },
);
