import { expect, test } from 'vitest';
import { json } from './codec.ts';
import { topic } from './topic-definition.ts';

test.each<[unknown, string]>([
  [{ val: json() }, 'there is no topic() option "val"; there are: value, key'],
  [json(), 'there is no topic() option "encode"'],
  [null, 'topic() options must be an object, not null'],
  [{ value: 5 }, 'topic() option "value" must be a codec'],
  [{ value: null }, 'topic() option "value" must be a codec'],
  [{ value: json }, 'topic() option "value" must be a codec'],
  [{ value: { encode: () => '' } }, 'topic() option "value" must be a codec'],
  [{ key: 'id' }, 'topic() option "key" must be a function, not "id"'],
])('%o is refused', (options, message) => {
  expect(() => topic('orders', options as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
  );
});

test('a schema may be a function', () => {
  const schema = Object.assign(() => {}, {
    '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
  } as const);
  expect(topic('orders', { value: schema }).value.encode({ id: 1 })).toBe('{"id":1}');
});
