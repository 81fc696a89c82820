/** What TypeScript infers; the compiler checks these, running them checks the names. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { expect, expectTypeOf, test } from 'vitest';
import type { Millrace } from '../connect/millrace.ts';
import type { Producer } from '../producer/producer.ts';
import { bytes, json, string } from './codec.ts';
import { topic, type TopicDefinition, type ValueOf } from './topic-definition.ts';

interface Order {
  readonly id: string;
  readonly amount: number;
}
interface OrderInput {
  readonly id: string;
  readonly amount: string;
}

const orderSchema: StandardSchemaV1<OrderInput, Order> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Order }) },
};
const schemaTopic = topic('orders', { value: orderSchema, key: (order) => order.id });
const jsonTopic = topic('orders', { value: json<Order>() });
const textTopic = topic('notes', { value: string() });
const bytesTopic = topic('blobs', { value: bytes() });
const plainTopic = topic('plain');

test('a schema gives its input to send and its output to consumers', () => {
  expectTypeOf(schemaTopic).toEqualTypeOf<TopicDefinition<Order, OrderInput>>();
  expectTypeOf<ValueOf<typeof schemaTopic>>().toEqualTypeOf<Order | null>();
});

test('codecs say both types', () => {
  expectTypeOf<ValueOf<typeof jsonTopic>>().toEqualTypeOf<Order | null>();
  expectTypeOf<ValueOf<typeof textTopic>>().toEqualTypeOf<string | null>();
  expectTypeOf<ValueOf<typeof bytesTopic>>().toEqualTypeOf<Buffer | null>();
  expectTypeOf<ValueOf<typeof plainTopic>>().toEqualTypeOf<Buffer | null>();
});

test('names and patterns give bytes, and selectors mix', () => {
  expectTypeOf<ValueOf<string>>().toEqualTypeOf<Buffer | null>();
  expectTypeOf<ValueOf<RegExp>>().toEqualTypeOf<Buffer | null>();
  expectTypeOf<ValueOf<typeof textTopic | 'plain'>>().toEqualTypeOf<string | Buffer | null>();
});

test('send takes what the topic says', () => {
  // Never called: only its types matter.
  const sends = (producer: Producer): void => {
    void producer.send(schemaTopic, { value: { id: '1', amount: '2' } });
    void producer.send(schemaTopic, { value: null, key: Buffer.from('k') });
    void producer.sendBatch(jsonTopic, [{ value: { id: '1', amount: 2 } }]);
    void producer.send('plain', { value: { id: '1', amount: 2 } satisfies Order });
    void producer.send('plain', { value: 'text', headers: { a: 'b', c: new Uint8Array() }, partition: 1 });
    // @ts-expect-error an order's amount is sent as text
    void producer.send(schemaTopic, { value: { id: '1', amount: 2 } });
    // @ts-expect-error a note is text
    void producer.send(textTopic, { value: 5 });
    // @ts-expect-error a record without a value
    void producer.send('plain', { key: 'k' });
    // @ts-expect-error undefined is no value
    void producer.send('plain', { value: undefined });
  };
  expect(sends).toBeTypeOf('function');
});

test('handlers get what the topics of their consumer hold', () => {
  // Never called: only its types matter.
  const consume = async (millrace: Millrace): Promise<void> => {
    const typed = millrace.consumer({ group: 'g', topics: [schemaTopic, textTopic] });
    await typed.run({
      eachRecord: ({ record }) => void expectTypeOf(record.value).toEqualTypeOf<Order | string | null>(),
    });
    const plain = millrace.consumer({ group: 'g', topics: ['orders', /^audit-/] });
    await plain.run({
      eachBatch: ({ batch }) =>
        void expectTypeOf(batch.records[0]?.value).toEqualTypeOf<Buffer | null | undefined>(),
    });
    for await (const record of millrace.consumer({ group: 'g', topics: [jsonTopic] })) {
      expectTypeOf(record.value).toEqualTypeOf<Order | null>();
    }
  };
  expect(consume).toBeTypeOf('function');
});

test('a definition has the name that it was given, checked', () => {
  expect(schemaTopic.name).toBe('orders');
  expect(() => topic('no spaces')).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
});
