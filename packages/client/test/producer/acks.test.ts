/**
 * What an acknowledgement means: each line of the table in docs/guarantees.md, with real servers. The replica is cut off
 * by sending it elsewhere, so it keeps exactly what it had; then it is made the primary.
 */
import { closeConnection, openConnection, type RedisConnection } from '@millrace/redis';
import { eventually, startRedis } from '@millrace/testkit';
import { describe, expect, test } from 'vitest';
import { connect, type Millrace, type ProducerOptions } from '../../src/index.ts';
import { failure, openVirtualProducer, readPartition } from '../client-fixture.ts';
import { startReplicaPair, type ReplicaPair } from '../replica-pair.ts';

const PREFIX = 'acks';
const REPLICATED = { acks: 'replicated', ackTimeoutMs: 100 } as const satisfies ProducerOptions;

async function open(url: string, stack: AsyncDisposableStack, partitions = 1): Promise<Millrace> {
  const client = stack.use(await connect({ url, prefix: PREFIX, name: 'acks', logger: false }));
  await client.admin.createTopic('orders', { partitions });
  return client;
}

async function stored(server: RedisConnection): Promise<(string | null)[]> {
  const { records } = await readPartition(server, PREFIX, 'orders', 0);
  return records.map(({ value }) => value);
}

/** What a send fails with that is tried, fails, and is tried until its time is over: in virtual time. */
async function failureOverTime(
  { url }: ReplicaPair,
  value: string,
  options: ProducerOptions = REPLICATED,
): Promise<Error> {
  await using virtual = await openVirtualProducer({ url, prefix: PREFIX }, options);
  const failed = failure(virtual.producer.send('orders', { value }));
  // How long it may block, the deadline, and the pause after the first try.
  await eventually(() => virtual.clock.pendingTimers === 3);
  await virtual.clock.advance(30_000);
  return await failed;
}

/** How often the server has answered the command. */
async function callsOf(server: RedisConnection, command: string): Promise<number> {
  const stats = await server.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

async function knowsWaitAof(server: RedisConnection): Promise<boolean> {
  const [described] = (await server.command('INFO', 'waitaof')) as readonly unknown[];
  return described !== null;
}

async function killWriter(server: RedisConnection): Promise<number> {
  const clients = String(await server.client('LIST'));
  const line = clients.split('\n').find((client) => client.includes(` name=${PREFIX}:acks:writer `));
  const id = /^id=(\d+)/.exec(line ?? '')?.[1];
  return id === undefined ? 0 : Number(await server.client('KILL', 'ID', id));
}

describe('replicated', () => {
  test('an acknowledged record is on the replica', async () => {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await startReplicaPair());
    const client = await open(pair.url, stack);
    const producer = client.producer({ acks: 'replicated' });
    for (const value of ['a', 'b', 'c']) {
      await producer.send('orders', { value });
      expect((await stored(pair.replica)).at(-1)).toBe(value);
    }
  });

  test('is not acknowledged while the link is cut, and says so', async () => {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await startReplicaPair());
    const client = await open(pair.url, stack);
    await pair.cutLink();
    expect(await failureOverTime(pair, 'v')).toMatchObject({
      name: 'UnavailableError',
      code: 'NOT_REPLICATED',
      retryable: true,
      details: { topic: 'orders', partition: 0, records: 1, asked: 1, got: 0, outcome: 'unknown' },
    });
    expect(await stored(pair.primary)).toEqual(['v']);
    await pair.mendLink();
    expect(await client.producer(REPLICATED).send('orders', { value: 'w' })).toMatchObject({ offset: 1 });
    expect(await stored(pair.replica)).toEqual(['v', 'w']);
  });

  test('is acknowledged when the link is back in time, and stored once', async () => {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await startReplicaPair());
    const client = await open(pair.url, stack);
    const producer = client.producer(REPLICATED);
    await pair.cutLink();
    const sent = producer.send('orders', { value: 'v' });
    // Asked for again at least once: the first WAIT only asks whether the server knows the command.
    await eventually(async () => expect(await callsOf(pair.primary, 'wait')).toBeGreaterThan(2));
    await pair.mendLink();
    expect(await sent).toMatchObject({ offset: 0 });
    expect(await stored(pair.replica)).toEqual(['v']);
    expect(await stored(pair.primary)).toEqual(['v']);
  });

  test('what it acknowledged survives a failover, and what was not is sent again by itself', async () => {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await startReplicaPair());
    const client = await open(pair.url, stack);
    const producer = client.producer(REPLICATED);
    for (const value of ['a', 'b']) await producer.send('orders', { value });
    await pair.cutLink();
    const sent = producer.send('orders', { value: 'c' });
    await eventually(async () => expect(await stored(pair.primary)).toEqual(['a', 'b', 'c']));
    await pair.failOver();
    expect(await stored(pair.replica)).toEqual(['a', 'b']);
    // The new primary has no replica yet: stored anew, and not acknowledged before it has one.
    await eventually(async () => expect(await stored(pair.replica)).toEqual(['a', 'b', 'c']));
    stack.use(await startRedis({ directives: { replicaof: `127.0.0.1 ${new URL(pair.url).port}` } }));
    expect(await sent).toMatchObject({ offset: 2 });
    expect(await stored(pair.replica)).toEqual(['a', 'b', 'c']);
  });

  test('asks one WAIT for all batches that leave together', async () => {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await startReplicaPair());
    const client = await open(pair.url, stack, 32);
    const producer = client.producer({ acks: 'replicated' });
    await producer.send('orders', { partition: 0, value: 'the script is known now' });
    const before = await callsOf(pair.primary, 'wait');
    await Promise.all(
      Array.from({ length: 32 }, (_, partition) => producer.send('orders', { partition, value: 'v' })),
    );
    expect((await callsOf(pair.primary, 'wait')) - before).toBe(1);
  });

  test('a connection that breaks while it waits: asked again on the next, stored once', async () => {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await startReplicaPair());
    const client = await open(pair.url, stack);
    const producer = client.producer({ acks: 'replicated', ackTimeoutMs: 5_000 });
    await pair.freezeReplica();
    const sent = producer.send('orders', { value: 'v' });
    await eventually(async () => expect(await pair.primary.info('clients')).toContain('blocked_clients:1'));
    expect(await killWriter(pair.primary)).toBe(1);
    await eventually(async () => expect(await pair.primary.info('clients')).toContain('blocked_clients:1'));
    await pair.thawReplica();
    expect(await sent).toMatchObject({ offset: 0 });
    expect(await stored(pair.replica)).toEqual(['v']);
  });

  test('a script that the server has forgotten is waited for all the same', async () => {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await startReplicaPair());
    await open(pair.url, stack);
    await pair.primary.script('FLUSH');
    await pair.untilInStep();
    await pair.freezeReplica();
    // A WAIT that was sent behind EVALSHA would be content with the frozen replica, which has all from before EVAL.
    expect(await failureOverTime(pair, 'v')).toMatchObject({ code: 'NOT_REPLICATED' });
    expect(await stored(pair.primary)).toEqual(['v']);
    await pair.thawReplica();
  });
});

test('memory: a failover loses what the replica had not received, and the producer is told', async () => {
  await using stack = new AsyncDisposableStack();
  const pair = stack.use(await startReplicaPair());
  const client = await open(pair.url, stack);
  const producer = client.producer();
  await producer.send('orders', { value: 'kept' });
  await pair.untilInStep();
  await pair.cutLink();
  expect(await producer.send('orders', { value: 'lost' })).toMatchObject({ offset: 1 });
  await pair.failOver();
  expect(await stored(pair.replica)).toEqual(['kept']);
  expect(await failure(producer.send('orders', { value: 'next' }))).toMatchObject({
    code: 'LOG_TRUNCATED',
    details: { lost: 1 },
  });
});

test('min-replicas-to-write: a primary without replicas stores nothing, whatever the class', async () => {
  await using stack = new AsyncDisposableStack();
  const pair = stack.use(await startReplicaPair());
  const client = await open(pair.url, stack);
  await pair.primary.config('SET', 'min-replicas-to-write', 1);
  await client.producer().send('orders', { value: 'a' });
  await pair.cutLink();
  await eventually(async () =>
    expect(await pair.primary.info('replication')).toContain('connected_slaves:0'),
  );
  expect(await failureOverTime(pair, 'b', {})).toMatchObject({
    code: 'DELIVERY_TIMED_OUT',
    message: expect.stringContaining('min-replicas-to-write'),
  });
  expect(await stored(pair.primary)).toEqual(['a']);
});

test('memory: a killed server process with an append-only file loses nothing that was acknowledged', async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis({ directives: { appendonly: 'yes', appendfsync: 'everysec' } }));
  const client = await open(server.url, stack);
  const producer = client.producer();
  const values = Array.from({ length: 200 }, (_, index) => `v${index}`);
  await Promise.all(values.map((value) => producer.send('orders', { value })));
  await server.restart?.('SIGKILL');
  const plain = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'plain');
  stack.defer(() => closeConnection(plain));
  expect(await stored(plain)).toEqual(values);
});

describe('fsynced', () => {
  test('before Redis 7.2, or without an append-only file: is refused, and stores nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const server = stack.use(await startRedis({ directives: { appendonly: 'no' } }));
    const client = await open(server.url, stack);
    const plain = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'plain');
    stack.defer(() => closeConnection(plain));
    const expected = (await knowsWaitAof(plain))
      ? { code: 'INVALID_OPTION', words: '"appendonly yes"' }
      : { code: 'REDIS_TOO_OLD', words: 'Redis 7.2 or newer' };
    const producer = client.producer({ acks: 'fsynced' });
    for (const value of ['v', 'w']) {
      expect(await failure(producer.send('orders', { value }))).toMatchObject({
        name: 'ConfigError',
        retryable: false,
        code: expected.code,
        message: expect.stringContaining(expected.words),
      });
    }
    expect(await stored(plain)).toEqual([]);
    expect(await client.producer().send('orders', { value: 'memory' })).toMatchObject({ offset: 0 });
  });
});
