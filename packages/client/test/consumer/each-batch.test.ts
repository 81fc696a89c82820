import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import type { EachBatch } from '../../src/index.ts';
import { at, test, values } from './consumer-fixture.ts';

function offsets({ batch }: EachBatch<unknown>): number[] {
  return batch.records.map(({ offset }) => offset);
}

describe('eachBatch', () => {
  test('gives stored batches together up to the limit, and never splits one', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('a', 4));
    await stage.sendBatch(0, values('b', 4));
    await stage.sendBatch(0, values('c', 12));
    const calls: unknown[] = [];
    await stage.run(
      {
        eachBatch: (delivery) => {
          const { topic, partition, firstOffset, lastOffset } = delivery.batch;
          calls.push([topic, partition, firstOffset, lastOffset, offsets(delivery).length]);
        },
      },
      { maxBatchRecords: 10 },
    );
    await stage.untilCommitted(0, 20);
    expect(calls).toEqual([
      ['orders', 0, 0, 7, 8],
      ['orders', 0, 8, 19, 12],
    ]);
  });

  test('is not given more than one partition may hold because it was stored compressed', async ({
    stage,
  }) => {
    await stage.createTopic(1);
    await using producer = (await stage.client()).producer({ compression: 'zstd' });
    const value = 'x'.repeat(1_000_000);
    for (let sent = 0; sent < 12; sent++) await producer.send('orders', { partition: 0, value });
    const calls: number[] = [];
    await stage.run({ eachBatch: (delivery) => void calls.push(offsets(delivery).length) });
    await stage.untilCommitted(0, 12);
    // Of 1 MiB: a stored batch that is begun is delivered as a whole.
    expect(Math.max(...calls)).toBe(2);
  });

  test('is called again after a failure, from behind what was resolved', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 5));
    const calls: number[][] = [];
    const member = await stage.run(
      {
        eachBatch: async (delivery) => {
          calls.push(offsets(delivery));
          if (calls.length > 1) return;
          delivery.resolveOffset(0);
          delivery.resolveOffset(2);
          // Beyond the batch, back, and in between: none is an offset that this call may resolve.
          delivery.resolveOffset(5);
          delivery.resolveOffset(1);
          delivery.resolveOffset(3.5);
          throw new Error('no more');
        },
      },
      { retry: { initialBackoffMs: 1 } },
    );
    await stage.untilCommitted(0, 5);
    expect(calls).toEqual([
      [0, 1, 2, 3, 4],
      [3, 4],
    ]);
    expect(member.told.error).toMatchObject([
      { code: 'HANDLER_FAILED', details: { topic: 'orders', partition: 0, attempt: 1 } },
    ]);
  });

  test('what was resolved is committed although the call never returns', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 5));
    let signal: AbortSignal | null = null;
    const member = await stage.run(
      {
        eachBatch: (delivery) => {
          signal = delivery.signal;
          delivery.resolveOffset(2);
          return new Promise(() => {});
        },
      },
      { drainTimeoutMs: 0 },
    );
    await stage.untilCommitted(0, 3);
    await member.close();
    expect(signal).toMatchObject({ aborted: true });
    expect(await stage.committed(0)).toBe(3);
  });

  test.for([{ autoCommit: true }, { autoCommit: false }])(
    'commit() commits what is resolved, with autoCommit $autoCommit',
    async ({ autoCommit }, { stage }) => {
      await stage.createTopic(1);
      await stage.sendBatch(0, values('v', 5));
      const committed: (number | null)[] = [];
      await stage.run(
        {
          eachBatch: async ({ resolveOffset, commit }) => {
            resolveOffset(1);
            await commit();
            committed.push(await stage.committed(0));
            resolveOffset(3);
            await commit();
            committed.push(await stage.committed(0));
          },
        },
        { autoCommit, autoCommitIntervalMs: 60_000 },
      );
      await eventually(() => committed.length === 2);
      expect(committed).toEqual([2, 4]);
    },
  );

  test('is stale after a seek, and resolves nothing then', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 6));
    const calls: { offsets: number[]; isStale: boolean[] }[] = [];
    const member = await stage.member();
    await member.consumer.run({
      eachBatch: async (delivery) => {
        const call = { offsets: offsets(delivery), isStale: [delivery.isStale()] };
        calls.push(call);
        if (calls.length > 1) return;
        await member.consumer.seek(at(0, 4));
        call.isStale.push(delivery.isStale());
        delivery.resolveOffset(5);
      },
    });
    await stage.untilCommitted(0, 6);
    expect(calls).toEqual([
      { offsets: [0, 1, 2, 3, 4, 5], isStale: [false, true] },
      { offsets: [4, 5], isStale: [false] },
    ]);
  });

  test('is stale when the partition has to be given up', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 3));
    const entered = Promise.withResolvers<EachBatch<unknown>>();
    const gate = Promise.withResolvers<void>();
    const member = await stage.run({
      eachBatch: (delivery) => {
        entered.resolve(delivery);
        return gate.promise;
      },
    });
    const delivery = await entered.promise;
    expect(delivery.isStale()).toBe(false);
    const closing = member.close();
    await eventually(() => delivery.isStale());
    // In time: what it has done counts.
    expect(delivery.signal.aborted).toBe(false);
    gate.resolve();
    await closing;
    expect(await stage.committed(0)).toBe(3);
  });

  test('names the record that failed, and gives each its own attempts', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 6));
    let calls = 0;
    const member = await stage.run(
      {
        eachBatch: (delivery) => {
          // Everything before 3 is done at the first call, and before 5 at the third.
          const [first = 0] = offsets(delivery);
          if (first === 0) delivery.resolveOffset(2);
          else if (calls === 2) delivery.resolveOffset(4);
          calls++;
          throw new Error('no');
        },
      },
      { retry: { maxAttempts: 2, initialBackoffMs: 1 } },
    );
    await eventually(() => member.told.error.some(({ code }) => code === 'PARTITION_HALTED'));
    const failures = member.told.error.map(({ code, details }) => [
      code,
      details['offset'],
      details['attempt'],
    ]);
    expect(failures).toEqual([
      ['HANDLER_FAILED', 3, 1],
      ['HANDLER_FAILED', 3, 2],
      ['PARTITION_HALTED', 3, undefined],
    ]);
    await stage.untilCommitted(0, 3);
  });
});
