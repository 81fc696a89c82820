import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { json, topic } from '../../src/index.ts';
import { at, failure, GROUP, test, TOPIC, values } from './consumer-fixture.ts';

/** The leader looks at the catalogue every two seconds: a group whose topics change takes that long to notice. */
describe('topics that come, grow and go', () => {
  test('a pattern takes a new topic up, and lets a deleted one go', async ({ stage }) => {
    await stage.createTopic(1, 'log-a');
    await stage.createTopic(1, 'other');
    const worker = await stage.worker({ topics: [/^log-/] });
    await stage.send(0, ['a'], 'log-a');
    await worker.untilHandled(1);
    await stage.createTopic(2, 'log-b');
    await stage.send(1, ['b'], 'log-b');
    await worker.untilHandled(2);
    await stage.millrace.admin.deleteTopic('log-a');
    await eventually(() => worker.consumer.assignment().every((owned) => owned.topic === 'log-b'));
    expect(worker.owned).toEqual([0, 1]);
    await stage.send(0, ['c'], 'log-b');
    await worker.untilHandled(3);
    expect(worker.delivered.map((entry) => `${entry.topic} ${entry.value}`)).toEqual([
      'log-a a',
      'log-b b',
      'log-b c',
    ]);
    expect(worker.codes).toEqual([]);
  });

  test('partitions that a topic gets are shared, from their first record on', async ({ stage }) => {
    await stage.createTopic(1);
    const [first, second] = [await stage.worker({ offsetReset: 'earliest' }), await stage.worker()];
    await eventually(() => first.owned.length + second.owned.length === 1);
    await stage.millrace.admin.addPartitions(TOPIC, 4);
    for (const partition of [0, 1, 2, 3]) await stage.send(partition, ['a']);
    await eventually(() => first.handled.length + second.handled.length === 4);
    expect([first.owned.length, second.owned.length]).toEqual([2, 2]);
    const places = [...first.handled, ...second.handled].map(
      ({ partition, offset }) => `${partition}:${offset}`,
    );
    expect(places.sort()).toEqual(['0:0', '1:0', '2:0', '3:0']);
  });

  test('members get partitions of their own topics only', async ({ stage }) => {
    await stage.createTopic(2, 'a');
    await stage.createTopic(2, 'b');
    await stage.createTopic(2, 'both');
    const onlyA = await stage.worker({ topics: ['a', 'both'] });
    const onlyB = await stage.worker({ topics: ['b', /^bo/] });
    await eventually(() => onlyA.owned.length === 3 && onlyB.owned.length === 3);
    const topicsOf = (member: typeof onlyA): string[] =>
      member.consumer
        .assignment()
        .map((owned) => owned.topic)
        .sort();
    expect(topicsOf(onlyA)).toEqual(['a', 'a', 'both']);
    expect(topicsOf(onlyB)).toEqual(['b', 'b', 'both']);
    for (const name of ['a', 'b', 'both'])
      for (const partition of [0, 1]) await stage.send(partition, ['v'], name);
    await eventually(() => onlyA.handled.length === 3 && onlyB.handled.length === 3);
    await onlyA.close();
    await eventually(() => onlyB.owned.length === 4);
    expect(topicsOf(onlyB)).toEqual(['b', 'b', 'both', 'both']);
  });
});

/** Any Standard Schema is an object with this one property. */
function schema<V>(validate: (value: unknown) => V | null): StandardSchemaV1<V> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        const valid = validate(value);
        return valid === null ? { issues: [{ message: 'no order', path: ['id'] }] } : { value: valid };
      },
    },
  };
}

interface Order {
  readonly id: number;
}

const orders = topic(TOPIC, {
  value: schema<Order>((value) => (typeof (value as Order).id === 'number' ? (value as Order) : null)),
});

describe('typed topics', () => {
  test('give handlers validated values, and null for a tombstone', async ({ stage }) => {
    await stage.createTopic(1);
    const producer = stage.millrace.producer();
    await producer.send(orders, { value: { id: 1 } });
    await producer.send(orders, { value: null });
    const seen: (number | null)[] = [];
    const consumer = (await stage.client()).consumer({ group: GROUP, topics: [orders] });
    await consumer.run({ eachRecord: ({ record }) => void seen.push(record.value?.id ?? null) });
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([1, null]);
    expect(await failure(producer.send(orders, { value: { id: 'x' } as never }))).toMatchObject({
      code: 'INVALID_RECORD',
    });
  });

  test.for(['eachRecord', 'eachBatch'] as const)(
    'a record that is not what the schema says halts its partition, and %s skips nothing',
    async (kind, { stage }) => {
      await stage.createTopic(2);
      // Three stored batches: what is readable before the bad one is delivered.
      await stage.send(0, ['{"id":0}', '{"id":"secret"}', '{"id":2}']);
      const consumer = (await stage.client()).consumer({ group: GROUP, topics: [orders] });
      const seen: string[] = [];
      const errors: { code: string; message: string; details: object }[] = [];
      consumer.on('error', ({ code, message, details }) => errors.push({ code, message, details }));
      const note = (partition: number, order: Order | null): void =>
        void seen.push(`${partition}:${order?.id}`);
      await consumer.run(
        kind === 'eachRecord'
          ? { eachRecord: ({ partition, record }) => note(partition, record.value) }
          : {
              eachBatch: ({ batch }) => {
                for (const record of batch.records) note(batch.partition, record.value);
              },
            },
      );
      await eventually(() => errors.length === 1);
      expect(errors).toMatchObject([
        { code: 'UNDECODABLE_RECORD', details: { topic: TOPIC, partition: 0, offset: 1 } },
      ]);
      expect(errors[0]?.message).not.toContain('secret');
      await stage.send(1, ['{"id":7}']);
      await eventually(() => seen.includes('1:7'));
      expect(seen).toEqual(['0:0', '1:7']);
      await stage.untilCommitted(0, 1);
      // Trying again is no remedy, going past it is.
      consumer.resume([at(0, 0)]);
      await eventually(() => errors.length === 2);
      await consumer.seek(at(0, 2));
      await eventually(() => seen.includes('0:2'));
      expect(errors).toHaveLength(2);
    },
  );

  test('may stand beside patterns and names', async ({ stage }) => {
    await stage.createTopic(1, 'numbers');
    await stage.createTopic(1, 'texts');
    const numbers = topic('numbers', { value: json<number>() });
    await stage.millrace.producer().send(numbers, { value: 42 });
    await stage.send(0, values('v', 1), 'texts');
    const seen: unknown[] = [];
    const consumer = (await stage.client()).consumer({ group: GROUP, topics: [numbers, 'texts'] });
    await consumer.run({ eachRecord: ({ record }) => void seen.push(record.value) });
    await eventually(() => seen.length === 2);
    expect(seen).toContain(42);
    expect(seen).toContainEqual(Buffer.from('v0'));
  });
});
