import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { RedisPartitionStore, createKeys } from '@millrace/redis';
import { at, failure, GROUP, offsetsOf, test, TOPIC, values } from './consumer-fixture.ts';

describe('at least once', () => {
  test('commits what is handled, and not the record that is being handled', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 3));
    const gate = Promise.withResolvers<void>();
    const worker = await stage.worker({}, ({ record }) => (record.offset === 2 ? gate.promise : undefined));
    await worker.untilDelivered(3);
    await stage.untilCommitted(0, 2);
    gate.resolve();
    await stage.untilCommitted(0, 3);
  });

  test('repeats the record whose handler did not return, and only that', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 4));
    const stuck = await stage.worker({ drainTimeoutMs: 0 }, ({ record }) =>
      record.offset === 2 ? new Promise(() => {}) : undefined,
    );
    await stuck.untilDelivered(3);
    await stuck.close();
    const heir = await stage.worker();
    await heir.untilHandled(2);
    expect(offsetsOf(heir.delivered, 0)).toEqual([2, 3]);
  });
});

describe('at most once', () => {
  test('commits before the handler is called', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 3));
    const seen: (number | null)[] = [];
    const worker = await stage.worker({ commitMode: 'at-most-once' }, async () => {
      seen.push(await stage.committed(0));
    });
    await worker.untilHandled(3);
    expect(seen).toEqual([1, 2, 3]);
  });

  test('a handler that throws loses its record, and says which', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 3));
    const worker = await stage.worker({ commitMode: 'at-most-once' }, ({ record }) => {
      if (record.offset === 1) throw new Error('broken');
    });
    await worker.untilHandled(2);
    expect(offsetsOf(worker.delivered, 0)).toEqual([0, 1, 2]);
    expect(worker.told.error).toMatchObject([
      { code: 'HANDLER_FAILED', details: { topic: TOPIC, partition: 0, offset: 1, attempt: 1 } },
    ]);
  });

  test('a batch whose handler throws is lost as a whole', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 3));
    const calls: number[] = [];
    const member = await stage.run(
      {
        eachBatch: ({ batch }) => {
          calls.push(batch.firstOffset);
          if (calls.length === 1) throw new Error('broken');
        },
      },
      { commitMode: 'at-most-once' },
    );
    await eventually(() => member.codes.length === 1);
    await stage.send(0, ['next']);
    await eventually(() => calls.length === 2);
    expect(calls).toEqual([0, 3]);
  });

  test('a handler that never returns loses its record', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 4));
    const options = { commitMode: 'at-most-once', drainTimeoutMs: 0 } as const;
    const stuck = await stage.worker(options, ({ record }) =>
      record.offset === 2 ? new Promise(() => {}) : undefined,
    );
    await stuck.untilDelivered(3);
    await stuck.close();
    const heir = await stage.worker(options);
    await heir.untilHandled(1);
    expect(offsetsOf(heir.delivered, 0)).toEqual([3]);
  });

  test('an orderly hand-over loses and repeats nothing', async ({ stage }) => {
    const partitions = 4;
    await stage.createTopic(partitions);
    const counts = Array.from({ length: partitions }, () => 0);
    const stop = new AbortController();
    const sending = (async () => {
      for (let turn = 0; !stop.signal.aborted; turn++) {
        await stage.send(turn % partitions, ['v']);
        counts[turn % partitions] = (counts[turn % partitions] ?? 0) + 1;
      }
    })();
    const workers = [await stage.worker({ commitMode: 'at-most-once' })];
    for (let life = 0; life < 4; life++) {
      await workers.at(-1)?.untilHandled(20);
      workers.push(await stage.worker({ commitMode: 'at-most-once' }));
      await workers.at(-2)?.close();
    }
    stop.abort();
    await sending;
    for (const [partition, count] of counts.entries()) await stage.untilCommitted(partition, count);
    await workers.at(-1)?.close();
    const handled = workers.flatMap((worker) => worker.handled);
    for (const [partition, count] of counts.entries()) {
      expect(offsetsOf(handled, partition).sort((a, b) => a - b)).toEqual(
        Array.from({ length: count }, (_, offset) => offset),
      );
    }
  });
});

describe('commits by hand', () => {
  test('without autoCommit nothing is committed, not even on close', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 3));
    const worker = await stage.worker({ autoCommit: false });
    await worker.untilHandled(3);
    await worker.close();
    const heir = await stage.worker({ autoCommit: false });
    await heir.untilHandled(3);
    expect(offsetsOf(heir.delivered, 0)).toEqual([0, 1, 2]);
    expect(await stage.committed(0)).toBe(0);
  });

  test('commit() commits what is handled, commit(offsets) just those', async ({ stage }) => {
    await stage.createTopic(2);
    for (const partition of [0, 1]) await stage.send(partition, values('v', 3));
    const worker = await stage.worker({ autoCommit: false });
    await worker.untilHandled(6);
    await worker.consumer.commit([at(0, 2)]);
    expect([await stage.committed(0), await stage.committed(1)]).toEqual([2, 0]);
    await worker.consumer.commit();
    expect([await stage.committed(0), await stage.committed(1)]).toEqual([3, 3]);
    await expect(worker.consumer.commit([at(0, 1)])).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('use seek()'),
    });
    expect(await stage.committed(0)).toBe(3);
  });

  test('a handler may commit its own record', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 2));
    const committed: (number | null)[] = [];
    const member = await stage.member({ autoCommit: false });
    await member.work(async ({ record }) => {
      await member.consumer.commit();
      committed.push(await stage.committed(0));
      await member.consumer.commit([at(0, record.offset + 1)]);
      committed.push(await stage.committed(0));
    });
    await member.untilHandled(2);
    expect(committed).toEqual([0, 1, 1, 2]);
  });

  test('what was not delivered cannot be committed', async ({ stage }) => {
    await stage.createTopic(2);
    await stage.send(0, values('v', 3));
    const gate = Promise.withResolvers<void>();
    const worker = await stage.worker({}, () => gate.promise);
    await worker.untilDelivered(1);
    for (const offset of [2, -1, 0.5, NaN]) {
      expect(await failure(worker.consumer.commit([at(0, offset)]))).toMatchObject({
        name: 'ConfigError',
        code: 'INVALID_OPTION',
        message: expect.stringContaining(`offset ${offset} of orders/0`),
      });
    }
    expect(await failure(worker.consumer.commit([at(7, 0)]))).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('orders/7 is not owned'),
    });
    expect(await stage.committed(0)).toBe(0);
    gate.resolve();
    await worker.untilHandled(3);
  });

  test('a commit is refused when somebody else has the partition, and the handler hears of it', async ({
    stage,
    ioredis,
  }) => {
    await stage.createTopic(1);
    await stage.send(0, ['a']);
    const signals: AbortSignal[] = [];
    const worker = await stage.worker({ autoCommit: false }, ({ signal }) => {
      signals.push(signal);
    });
    await worker.untilHandled(1);
    const partitions = new RedisPartitionStore(ioredis, createKeys(stage.prefix));
    const usurper = { topic: TOPIC, partition: 0, group: GROUP, memberId: 'usurper', nonce: 'n' };
    await partitions.acquire({ ...usurper, claim: 1_000_000, offsetReset: 'earliest' });
    expect(await failure(worker.consumer.commit())).toMatchObject({
      name: 'FencedError',
      code: 'FENCED',
      details: { topic: TOPIC, partition: 0 },
    });
    expect(signals[0]?.reason).toMatchObject({ code: 'FENCED' });
    // The group says that it is this member's: it takes a later claim, and begins at the committed offset again.
    await worker.untilHandled(2);
    expect(worker.told.lost).toMatchObject([
      { reason: 'fenced', commitRefused: true, partitions: [{ topic: TOPIC, partition: 0 }] },
    ]);
    expect(offsetsOf(worker.delivered, 0)).toEqual([0, 0]);
    const [first, second] = worker.delivered;
    expect(second?.epoch).toBeGreaterThan(first?.epoch ?? NaN);
  });
});
