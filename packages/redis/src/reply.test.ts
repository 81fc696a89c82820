import { describe, expect, test } from 'vitest';
import { integerAt, listAt, pairsAt, textAt, unexpectedStatus } from './reply.ts';

describe('textAt', () => {
  test('takes a text as it is and an integer as text', () => {
    expect(textAt(['OK', 'a', 12], 1)).toBe('a');
    expect(textAt(['OK', 'a', 12], 2)).toBe('12');
  });

  test('takes nothing for an empty text', () => {
    expect(textAt([null], 0)).toBe('');
    expect(textAt([], 0)).toBe('');
    expect(textAt([['nested']], 0)).toBe('');
  });
});

describe('integerAt', () => {
  test.each([
    ['0', 0],
    [7, 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['-3', -3],
  ])('reads %o', (value, integer) => {
    expect(integerAt([value], 0)).toBe(integer);
  });

  test.each(['9007199254740993', '1.5', '1e+300', 'ten', ['1', '2']])(
    'refuses %o: it would be another number, or none',
    (value) => {
      expect(() => integerAt([value], 0)).toThrow(TypeError);
    },
  );

  test.each([null, undefined, ''])('refuses %o: a number that is missing is not 0', (value) => {
    expect(() => integerAt([value as null], 0)).toThrow(TypeError);
  });
});

describe('lists', () => {
  test('are given as they are, and missing ones as empty', () => {
    expect(listAt(['OK', ['a', null, 1]], 1)).toEqual(['a', null, 1]);
    expect(listAt(['OK'], 1)).toEqual([]);
    expect(listAt(['OK', 'text'], 1)).toEqual([]);
  });

  test('of fields and values are read by pairs', () => {
    expect([...pairsAt([['a', '1', 'b', 2]], 0)]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    expect([...pairsAt([[]], 0)]).toEqual([]);
  });
});

test('a status of another version is named, with its script', () => {
  const script = { name: 'join-group', sha1: '', text: '', keyCount: 6, isReadOnly: false };
  expect(() => unexpectedStatus(script, ['WAIT'])).toThrow(
    'script join-group answered an unknown status "WAIT"',
  );
});
