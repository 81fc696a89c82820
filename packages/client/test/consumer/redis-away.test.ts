/** What happens to consumers when Redis, or the way to it, goes away. Each test has a server of its own to hurt. */
import { describe, expect, test } from 'vitest';
import { eventually, startRedis, type RedisServer } from '@millrace/testkit';
import { closeConnection, openConnection } from '@millrace/redis';
import { Stage, values, type Delivered, type Member } from './consumer-fixture.ts';

async function open(): Promise<{ server: RedisServer; stage: Stage } & AsyncDisposable> {
  const server = await startRedis();
  const stage = await Stage.open({ url: server.url, prefix: 'away' });
  return {
    server,
    stage,
    async [Symbol.asyncDispose]() {
      await stage.close();
      await server.stop();
    },
  };
}

/**
 * Every ownership begins at or before the end of the one before it and goes on without a gap; together they hold all
 * records of the partition.
 */
function expectOrdered(members: readonly Member[], partition: number, count: number): void {
  const delivered = members
    .flatMap((member) => member.delivered)
    .filter((entry) => entry.partition === partition);
  const ownerships = Map.groupBy(delivered, ({ epoch }) => epoch);
  let next = 0;
  for (const [, records] of [...ownerships].toSorted(([a], [b]) => a - b)) {
    const [first] = records as [Delivered];
    expect(first.offset).toBeLessThanOrEqual(next);
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => first.offset + index));
    next = Math.max(next, first.offset + records.length);
  }
  expect(next).toBe(count);
}

describe('a consumer', () => {
  test.for(['normal', 'pubsub'] as const)(
    'whose %s connections are killed again and again loses nothing and keeps the order',
    async (type) => {
      await using opened = await open();
      const { server, stage } = opened;
      await stage.createTopic(4);
      const workers = [await stage.worker(), await stage.worker()];
      await eventually(() => workers.every((worker) => worker.owned.length === 2));
      const killer = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'killer');
      const rounds = 8;
      for (let round = 0; round < rounds; round++) {
        const handled = (): number => workers.reduce((sum, worker) => sum + worker.handled.length, 0);
        const before = handled();
        const sending = Promise.all([0, 1, 2, 3].map((partition) => stage.send(partition, values('v', 5))));
        // Those of the blow before may still be on their way back.
        await eventually(async () => Number(await killer.call('CLIENT', 'KILL', 'TYPE', type)) > 0);
        await sending;
        // It goes on before the next blow.
        await eventually(() => handled() >= before + 20);
      }
      for (const partition of [0, 1, 2, 3]) await stage.untilCommitted(partition, rounds * 5);
      for (const partition of [0, 1, 2, 3]) expectOrdered(workers, partition, rounds * 5);
      await closeConnection(killer);
    },
  );

  test('goes on after Redis was restarted', async () => {
    await using opened = await open();
    const { server, stage } = opened;
    await stage.createTopic(2);
    await stage.send(0, values('v', 3));
    const worker = await stage.worker();
    await worker.untilHandled(3);
    await stage.untilCommitted(0, 3);
    await server.restart?.('SIGTERM');
    await stage.send(0, values('w', 3));
    await stage.send(1, values('x', 3));
    await worker.untilHandled(9);
    expectOrdered([worker], 0, 6);
    expectOrdered([worker], 1, 3);
    // A commit that failed meanwhile was made later: nothing came twice.
    expect(worker.delivered).toHaveLength(9);
    await stage.untilCommitted(0, 6);
    expect(worker.codes.length).toBeGreaterThan(0);
    for (const error of worker.told.error)
      expect(error).toMatchObject({ name: 'UnavailableError', retryable: true });
  });

  test('loses its partitions while Redis stands still for longer than the lease, and takes them again', async () => {
    await using opened = await open();
    const { server, stage } = opened;
    await stage.createTopic(2);
    await stage.send(0, values('v', 3));
    const worker = await stage.worker({ leaseMs: 600 });
    await worker.untilHandled(3);
    await stage.untilCommitted(0, 3);
    const [before] = worker.consumer.assignment();
    await server.signal('SIGSTOP');
    await eventually(() => worker.told.lost.length > 0);
    expect(worker.told.lost).toMatchObject([{ reason: 'lease-expired', commitRefused: false }]);
    expect(worker.told.lost[0]?.partitions).toHaveLength(2);
    expect(worker.owned).toEqual([]);
    await server.signal('SIGCONT');
    await worker.untilOwns(0, 1);
    const [after] = worker.consumer.assignment();
    expect(after?.epoch).toBeGreaterThan(before?.epoch ?? NaN);
    await stage.send(0, values('w', 2));
    await worker.untilHandled(5);
    expectOrdered([worker], 0, 5);
  });

  test('aborts the handler under way when the lease is over, and its commit does not count', async () => {
    await using opened = await open();
    const { server, stage } = opened;
    await stage.createTopic(1);
    await stage.send(0, values('v', 2));
    const reasons: unknown[] = [];
    const worker = await stage.worker({ leaseMs: 600 }, ({ record, signal }) => {
      if (record.offset !== 1 || reasons.length > 0) return undefined;
      return new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason);
          resolve();
        });
      });
    });
    await worker.untilDelivered(2);
    await stage.untilCommitted(0, 1);
    await server.signal('SIGSTOP');
    await eventually(() => reasons.length === 1);
    expect(reasons).toMatchObject([{ name: 'FencedError', code: 'LEASE_LOST' }]);
    await server.signal('SIGCONT');
    // Nobody can know what it did: it is delivered again.
    await stage.untilCommitted(0, 2);
    expect(worker.delivered.map(({ offset }) => offset)).toEqual([0, 1, 1]);
  });
});
