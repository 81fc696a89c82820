import { expect, test } from 'vitest';
import { json, string } from './codec.ts';
import { decodeValue } from './decode-value.ts';
import { topic, type ValueCodec } from './topic-definition.ts';

const place = { topic: 'orders', partition: 3, offset: 1842 };
const undecodable = {
  name: 'DataError',
  code: 'UNDECODABLE_RECORD',
  message: expect.stringMatching(/record 1842 of orders\/3/),
  details: { topic: 'orders', partition: 3, offset: 1842 },
};

test('decodes by the definition, and leaves a tombstone alone', () => {
  expect(decodeValue(topic('orders', { value: json() }), Buffer.from('{"a":1}'), place)).toEqual({ a: 1 });
  expect(decodeValue(topic('orders', { value: string() }), null, place)).toBeNull();
});

test('an error names the record, never what is in it', () => {
  const decode = (): unknown =>
    decodeValue(topic('orders', { value: json() }), Buffer.from('hunter2'), place);
  expect(decode).toThrow(expect.objectContaining(undecodable));
  expect(decode).not.toThrow('hunter2');
});

test('an asynchronous codec rejects alike', async () => {
  const value: ValueCodec<unknown, never> = {
    encode: () => '',
    decode: () => Promise.reject(new RangeError('hunter2')),
  };
  const decoding = decodeValue({ name: 'orders', value }, Buffer.from(''), place);
  await expect(decoding).rejects.toMatchObject(undecodable);
  await expect(decoding).rejects.toThrow('its codec threw RangeError');
  await expect(decoding).rejects.not.toThrow('hunter2');
});
