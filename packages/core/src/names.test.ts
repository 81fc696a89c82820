import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { parseName, parsePartitionKey, partitionKey, type NameKind } from './names.ts';

const goodName = fc.stringMatching(/^[A-Za-z0-9.-][A-Za-z0-9._-]{0,198}[A-Za-z0-9-]$/);

describe('parseName', () => {
  test.each(['a', '0', 'orders', 'Orders.EU_2-x', '...', '-', '_', '_x', 'x__y', 'a'.repeat(200)])(
    'takes %j',
    (name) => {
      expect(parseName('topic', name)).toBe(name);
    },
  );

  test.each([
    ['empty', ''],
    ['too long', 'a'.repeat(201)],
    ['one dot', '.'],
    ['two dots', '..'],
    ['a blank', 'a b'],
    ['a blank at the end', 'a '],
    ['a newline at the end, which `$` of some languages lets pass', 'a\n'],
    ['a NUL', 'a\0'],
    ['a slash, the separator of topic and partition', 'a/1'],
    ['a colon, the separator of keys', 'a:b'],
    ['a semicolon, the separator of encoded topics', 'a;b'],
    ['a comma, the separator of encoded partitions', 'a,b'],
    ['braces, which move a key to another slot', '{a}'],
    ['a glob, which widens an ACL pattern', 'a*'],
    ['a question mark', 'a?'],
    ['brackets', '[ab]'],
    ['letters beyond ASCII', 'café'],
    ['digits beyond ASCII', '٣'],
    ['half an emoji', '\ud83d'],
  ])('refuses %s', (_what, name) => {
    expect(() => parseName('topic', name)).toThrow(ConfigError);
    expect(() => parseName('topic', name)).toThrow(
      expect.objectContaining({ code: 'INVALID_NAME', retryable: false }),
    );
  });

  test.each([undefined, null, 7, {}, ['a'], new String('a')])('refuses %o, which is no string', (name) => {
    expect(() => parseName('group', name as string)).toThrow(
      expect.objectContaining({ code: 'INVALID_NAME' }),
    );
  });

  test.each(['__', '__offsets'])('refuses %j, which is reserved, and says so', (name) => {
    expect(() => parseName('topic', name)).toThrow(/reserved.*choose another/);
  });

  test.each<NameKind>(['topic', 'group', 'instance id', 'producer id'])(
    'says that it is the %s that is wrong, and what may stand there',
    (kind) => {
      expect(() => parseName(kind, 'a b')).toThrow(
        `invalid ${kind} name "a b": use 1 to 200 of A-Z a-z 0-9 . _ -`,
      );
    },
  );
});

describe('the written form of a partition', () => {
  test('is the topic, a slash and the number', () => {
    expect(partitionKey('orders', 3)).toBe('orders/3');
  });

  test('of any topic and number can be read back', () => {
    fc.assert(
      fc.property(goodName, fc.nat(), (topic, partition) => {
        expect(parsePartitionKey(partitionKey(parseName('topic', topic), partition))).toEqual({
          topic,
          partition,
        });
      }),
    );
  });
});
