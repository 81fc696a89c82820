import { inspect } from 'node:util';
import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { offsetsOf, test, values, TOPIC } from './consumer-fixture.ts';

describe('delivery', () => {
  test('gives every partition its records in order, with what they were stored with', async ({ stage }) => {
    await stage.createTopic(3);
    for (const partition of [0, 1, 2]) await stage.sendBatch(partition, values(`${partition}-`, 40));
    const worker = await stage.worker();
    for (const partition of [0, 1, 2]) await stage.send(partition, values(`${partition}-`, 5, 40));
    await worker.untilHandled(135);
    for (const partition of [0, 1, 2]) {
      const mine = worker.delivered.filter((entry) => entry.partition === partition);
      expect(mine.map(({ offset }) => offset)).toEqual(Array.from({ length: 45 }, (_, offset) => offset));
      expect(mine.map(({ value }) => value)).toEqual(values(`${partition}-`, 45));
    }
    expect(worker.codes).toEqual([]);
  });

  test('gives key, headers, times and the epoch of the ownership', async ({ stage }) => {
    await stage.createTopic(1);
    const producer = stage.millrace.producer();
    const { appendedMs } = await producer.send(TOPIC, {
      key: 'k',
      value: { n: 1 },
      headers: { trace: 'abc' },
      timestampMs: 1_234,
    });
    await producer.send(TOPIC, { key: 'k', value: null });
    const seen: unknown[] = [];
    const member = await stage.run({
      eachRecord: ({ topic, partition, record, epoch, signal }) => {
        const { offset, key, headers, timestampMs, value } = record;
        seen.push({
          place: [topic, partition, record.topic, record.partition, offset],
          key: key?.toString(),
          trace: headers['trace']?.toString(),
          times: offset === 0 ? [timestampMs, record.appendedMs] : [],
          json: record.json(),
          value: value?.toString() ?? null,
          epoch,
          isAborted: signal.aborted,
        });
        // What it says may be a secret.
        expect(inspect(record)).toMatch(/^ConsumerRecord \{[^}]*topic: 'orders'[^}]*\}$/);
        expect(JSON.parse(JSON.stringify(record))).toEqual({
          topic,
          partition,
          offset,
          timestampMs,
          appendedMs: record.appendedMs,
        });
      },
    });
    await eventually(() => seen.length === 2);
    const [{ epoch } = { epoch: NaN }] = member.consumer.assignment();
    expect(seen).toEqual([
      {
        place: [TOPIC, 0, TOPIC, 0, 0],
        key: 'k',
        trace: 'abc',
        times: [1_234, appendedMs],
        json: { n: 1 },
        value: '{"n":1}',
        epoch,
        isAborted: false,
      },
      {
        place: [TOPIC, 0, TOPIC, 0, 1],
        key: 'k',
        trace: undefined,
        times: [],
        json: null,
        value: null,
        epoch,
        isAborted: false,
      },
    ]);
  });

  test('calls the handler once at a time per partition, and of all partitions side by side', async ({
    stage,
  }) => {
    await stage.createTopic(3);
    for (const partition of [0, 1, 2]) await stage.send(partition, ['a', 'b']);
    const gate = Promise.withResolvers<void>();
    const worker = await stage.worker({}, () => gate.promise);
    await worker.untilDelivered(3);
    // Each partition's second record is at hand, and waits.
    expect(worker.delivered.map(({ partition, offset }) => `${partition}:${offset}`).sort()).toEqual([
      '0:0',
      '1:0',
      '2:0',
    ]);
    gate.resolve();
    await worker.untilHandled(6);
  });

  test('works on as many partitions at a time as it is told', async ({ stage }) => {
    await stage.createTopic(6);
    for (let partition = 0; partition < 6; partition++) await stage.send(partition, values('v', 5));
    let running = 0;
    let most = 0;
    const worker = await stage.worker({ partitionsConsumedConcurrently: 2 }, async () => {
      running++;
      most = Math.max(most, running);
      // Long enough for every other partition to have its records at hand.
      await stage.millrace.admin.listTopics();
      running--;
    });
    await worker.untilHandled(30);
    expect(most).toBe(2);
    for (let partition = 0; partition < 6; partition++) {
      expect(offsetsOf(worker.handled, partition)).toEqual([0, 1, 2, 3, 4]);
    }
  });

  test('keeps the order across rebalances, and repeats nothing that was handled', async ({ stage }) => {
    const partitions = 4;
    await stage.createTopic(partitions);
    const first = await stage.worker();
    await first.untilOwns(0, 1, 2, 3);
    let sent = 0;
    const sendRound = async (): Promise<void> => {
      for (let partition = 0; partition < partitions; partition++) await stage.send(partition, [`${sent}`]);
      sent++;
    };
    for (let round = 0; round < 10; round++) await sendRound();
    const secondJoins = stage.worker();
    for (let round = 0; round < 10; round++) await sendRound();
    const second = await secondJoins;
    await eventually(() => second.owned.length === 2 && first.owned.length === 2);
    for (let round = 0; round < 10; round++) await sendRound();
    const firstLeaves = first.close();
    for (let round = 0; round < 10; round++) await sendRound();
    await firstLeaves;
    await second.untilOwns(0, 1, 2, 3);
    await eventually(() => first.handled.length + second.handled.length >= sent * partitions);

    const wanted = Array.from({ length: sent }, (_, offset) => offset);
    for (let partition = 0; partition < partitions; partition++) {
      const all = [...first.handled, ...second.handled].filter((entry) => entry.partition === partition);
      const inOrder = all.toSorted((a, b) => a.epoch - b.epoch);
      expect(inOrder.map(({ offset }) => offset)).toEqual(wanted);
    }
  });

  test('goes on at the committed offset in a later life of the group', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('a', 3));
    const before = await stage.worker();
    await before.untilHandled(3);
    await before.close();
    await stage.send(0, values('b', 2));
    const after = await stage.worker();
    await after.untilHandled(2);
    expect(after.delivered.map(({ offset, value }) => [offset, value])).toEqual([
      [3, 'b0'],
      [4, 'b1'],
    ]);
    expect(after.told.assigned[0]?.partitions).toMatchObject([{ partition: 0, offset: 3 }]);
  });

  test('gives every group all records', async ({ stage }) => {
    await stage.createTopic(2);
    await stage.send(0, ['a']);
    await stage.send(1, ['b']);
    const billing = await stage.worker({ group: 'billing' });
    const shipping = await stage.worker({ group: 'shipping' });
    await Promise.all([billing.untilHandled(2), shipping.untilHandled(2)]);
    expect(billing.owned).toEqual([0, 1]);
    expect(shipping.owned).toEqual([0, 1]);
  });
});
