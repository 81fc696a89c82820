import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { createKeys } from '@millrace/redis';
import { HandlerError } from '../../src/index.ts';
import { GROUP, offsetsOf, test, TOPIC, values } from './consumer-fixture.ts';

/** Keeps the event loop from turning. */
function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

describe('a handler that never returns', () => {
  test('is reported once, and other partitions flow', async ({ stage }) => {
    await stage.createTopic(3);
    const gate = Promise.withResolvers<void>();
    const worker = await stage.worker({ handlerTimeoutMs: 50, leaseMs: 3_000 }, ({ partition }) =>
      partition === 2 ? undefined : gate.promise,
    );
    await worker.untilOwns(0, 1, 2);
    await stage.send(0, ['a', 'b']);
    await eventually(() => worker.codes.length === 1);
    await stage.send(2, values('flows', 3));
    await eventually(() => offsetsOf(worker.handled, 2).length === 3);
    // Another one hangs: whoever finds it has looked at the first one again.
    await stage.send(1, ['c']);
    await eventually(() => worker.codes.length === 2);
    expect(worker.told.error).toMatchObject([
      { code: 'HANDLER_TIMED_OUT', details: { topic: TOPIC, partition: 0, offset: 0 } },
      { code: 'HANDLER_TIMED_OUT', details: { topic: TOPIC, partition: 1, offset: 0 } },
    ]);
    expect(worker.told.error[0]).toBeInstanceOf(HandlerError);
    gate.resolve();
    await stage.untilCommitted(0, 2);
    await stage.untilCommitted(1, 1);
    expect(worker.told.lost).toEqual([]);
  });

  test('is aborted when its partition has to go, which is released without its record', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 3));
    const signals: AbortSignal[] = [];
    const stuck = await stage.worker({ drainTimeoutMs: 50 }, ({ record, signal }) => {
      signals.push(signal);
      return record.offset === 1 ? new Promise(() => {}) : undefined;
    });
    await stuck.untilDelivered(2);
    await stuck.close();
    expect(signals[1]?.aborted).toBe(true);
    expect(signals[1]?.reason).toMatchObject({ code: 'LEASE_LOST', details: { topic: TOPIC, partition: 0 } });
    expect(await stage.committed(0)).toBe(1);
    const heir = await stage.worker();
    await heir.untilHandled(2);
    expect(offsetsOf(heir.delivered, 0)).toEqual([1, 2]);
  });

  test('holds up only its own partition in a rebalance', async ({ stage }) => {
    await stage.createTopic(4);
    for (const partition of [0, 1, 2, 3]) await stage.send(partition, ['a']);
    const aborted: number[] = [];
    const stuck = await stage.worker({ drainTimeoutMs: 50 }, ({ partition, signal }) => {
      signal.addEventListener('abort', () => aborted.push(partition));
      return new Promise(() => {});
    });
    await stuck.untilDelivered(4);
    const heir = await stage.worker();
    await heir.untilHandled(2);
    // What moved was aborted; what stays was not touched.
    expect(aborted.sort((a, b) => a - b)).toEqual(heir.owned);
    expect(stuck.owned).toHaveLength(2);
    const [moved = NaN] = heir.owned;
    await heir.close();
    await stage.send(moved, ['b']);
    // The calls of before still hang: nobody runs beside them, and nobody waits for them.
    await stuck.close();
    expect(stuck.delivered).toHaveLength(4);
    const last = await stage.worker();
    await last.untilHandled(3);
  });
});

describe('a handler that blocks the event loop', () => {
  test('longer than the lease keeps its partitions, and is told', async ({ stage }) => {
    await stage.createTopic(1);
    const worker = await stage.worker({ leaseMs: 1_500 }, () => block(2_500));
    await worker.untilOwns(0);
    await stage.send(0, ['a']);
    await stage.untilCommitted(0, 1);
    await eventually(() => worker.codes.includes('EVENT_LOOP_BLOCKED'));
    expect(worker.codes).toEqual(['EVENT_LOOP_BLOCKED']);
    expect(worker.told.error[0]?.details['blockedMs']).toBeGreaterThanOrEqual(1_500);
    expect(worker.told.lost).toEqual([]);
    await stage.send(0, ['b']);
    await worker.untilHandled(2);
    expect(new Set(worker.delivered.map(({ epoch }) => epoch)).size).toBe(1);
  });

  test('longer than eventLoopTimeoutMs loses them, and joins again', async ({ stage }) => {
    await stage.createTopic(1);
    let isBlocking = true;
    const worker = await stage.worker({ leaseMs: 300, eventLoopTimeoutMs: 600 }, () => {
      if (isBlocking) block(1_800);
      isBlocking = false;
    });
    await worker.untilOwns(0);
    const { memberId } = worker.consumer;
    const [before] = worker.consumer.assignment();
    await stage.send(0, ['a']);
    await eventually(() => worker.told.lost.length === 1);
    expect(worker.told.lost).toMatchObject([
      { reason: 'event-loop-blocked', commitRefused: false, partitions: [{ topic: TOPIC, partition: 0 }] },
    ]);
    await worker.untilOwns(0);
    const [after] = worker.consumer.assignment();
    expect(after?.epoch).toBeGreaterThan(before?.epoch ?? NaN);
    expect(worker.consumer.memberId).not.toBe(memberId);
    await stage.send(0, ['b']);
    await stage.untilCommitted(0, 2);
  });

  test('is no matter of a short lease: an idle event loop is not suspected', async ({ stage, ioredis }) => {
    await stage.createTopic(1);
    const worker = await stage.worker({ leaseMs: 300 });
    await worker.untilOwns(0);
    // Every heartbeat looks at the event loop first.
    const { beats } = createKeys(stage.prefix).group(GROUP);
    await eventually(async () => Number(await ioredis.hget(beats, worker.consumer.memberId)) >= 12);
    expect(worker.codes.filter((code) => code === 'EVENT_LOOP_BLOCKED')).toEqual([]);
  });
});
