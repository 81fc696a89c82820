import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readLuaSource } from '../../scripts/lua-source.ts';

const SOUND = `#!lua flags=allow-oom
-- Purpose: count something up.
-- KEYS[1] counter
-- ARGV[1] by how much
-- ARGV[2] name of the caller
-- Returns: {'OK', the new value}
--          {'TOO_LARGE'}
-- Keeps: the counter only rises.
local counter = KEYS[1]
local step, name = ARGV[1], ARGV[2]

-- Why it is limited.
if tonumber(step) > 9 then
  return { 'TOO_LARGE' }
end
return { 'OK', redis.call('INCRBY', counter, step) }
`;

const VARIADIC = `#!lua flags=no-writes
-- Purpose: read many.
-- KEYS[1] first
-- KEYS[2...] more
-- ARGV[1...] what to read
-- Returns: {'OK', values}
-- Keeps: nothing is written.
local first = KEYS[1]
return { 'OK', redis.call('HMGET', first, unpack(ARGV)), KEYS[2], #KEYS }
`;

describe('a sound script', () => {
  test('is sent without comments and blank lines, and without a change otherwise', () => {
    const { name, text, sha1 } = readLuaSource('count-up.lua', SOUND);
    expect(name).toBe('count-up');
    expect(text).toBe(
      [
        '#!lua flags=allow-oom',
        'local counter = KEYS[1]',
        'local step, name = ARGV[1], ARGV[2]',
        'if tonumber(step) > 9 then',
        "  return { 'TOO_LARGE' }",
        'end',
        "return { 'OK', redis.call('INCRBY', counter, step) }",
      ].join('\n'),
    );
    expect(sha1).toBe(createHash('sha1').update(text).digest('hex'));
  });

  test('says how many keys it takes, or that it takes a list', () => {
    expect(readLuaSource('count-up.lua', SOUND).keyCount).toBe(1);
    expect(readLuaSource('read-many.lua', VARIADIC).keyCount).toBe(-1);
  });
});

describe('refused, with the file and what is wrong, is', () => {
  test.each([
    ['a script without a shebang', '#!lua flags=allow-oom', '-- no shebang', 'the first line must be #!lua'],
    [
      'a shebang with a flag that Redis would take and nobody looked at',
      'allow-oom',
      'no-cluster',
      'the first line',
    ],
    ['a comment of many lines', '-- Why it is limited.', '--[[ Why\n--]]', 'a comment of many lines'],
    ['a header without a purpose', '-- Purpose: ', '-- What: ', 'the header lacks "-- Purpose:"'],
    ['a header without its replies', '-- Returns: ', '-- Gives: ', 'the header lacks "-- Returns:"'],
    ['a header without its invariant', '-- Keeps: ', '-- Holds: ', 'the header lacks "-- Keeps:"'],
    [
      'an argument that is not used',
      'step, name = ARGV[1], ARGV[2]',
      'step = ARGV[1]',
      'ARGV[2] is declared and not used',
    ],
    [
      'an argument that is not declared',
      'step, name = ARGV[1], ARGV[2]',
      'step, name, more = ARGV[1], ARGV[2], ARGV[3]',
      'ARGV[3] is used and not declared',
    ],
    [
      'a key that is not declared',
      'counter = KEYS[1]',
      'counter, other = KEYS[1], KEYS[2]',
      'KEYS[2] is used and not declared',
    ],
    [
      'a key that is not used',
      '-- KEYS[1] counter',
      '-- KEYS[1] counter\n-- KEYS[2] other',
      'KEYS[2] is declared and not used',
    ],
    [
      'an argument that is declared twice',
      '-- ARGV[2] name',
      '-- ARGV[1] name',
      'ARGV[1] is declared out of order',
    ],
    [
      'an argument that is left out',
      '-- ARGV[2] name',
      '-- ARGV[3] name',
      'ARGV[3] is declared out of order',
    ],
    [
      'arguments bound in another order',
      'ARGV[1], ARGV[2]',
      'ARGV[2], ARGV[1]',
      'ARGV[2] is not bound in its order',
    ],
    [
      'arguments read as a list',
      "'INCRBY', counter, step",
      "'INCRBY', unpack(ARGV)",
      'ARGV is used as a list',
    ],
    ['keys counted', 'counter, step) }', 'counter, #KEYS) }', 'KEYS is used as a list'],
    ['a key made of an index', "INCRBY', counter", "INCRBY', KEYS[step]", 'KEYS is used as a list'],
    [
      'a status that is not declared',
      "{ 'TOO_LARGE' }",
      "{ 'TOO_SMALL' }",
      'TOO_SMALL is answered and not declared',
    ],
    [
      'a status that is never answered',
      "{'TOO_LARGE'}",
      "{'TOO_LARGE'} | {'GONE'}",
      'GONE is declared under Returns and never answered',
    ],
  ])('%s', (_what, from, to, problem) => {
    expect(SOUND).toContain(from);
    const lying = SOUND.replace(from, to);
    expect(() => readLuaSource('count-up.lua', lying)).toThrow(`count-up.lua: ${problem}`);
  });

  test.each([
    ['a list that is not used', 'unpack(ARGV)', "''", 'ARGV[1...] is declared and not used'],
    ['a list of keys that is not used', ', KEYS[2], #KEYS', '', 'KEYS[2...] is declared and not used'],
    [
      'something behind a list',
      '-- KEYS[2...] more',
      '-- KEYS[2...] more\n-- KEYS[3] last',
      'KEYS[3] is declared out of order',
    ],
    ['a key before a list that is not used', 'KEYS[1]\n', "'k'\n", 'KEYS[1] is declared and not used'],
  ])('%s', (_what, from, to, problem) => {
    expect(VARIADIC).toContain(from);
    const lying = VARIADIC.replace(from, to);
    expect(() => readLuaSource('read-many.lua', lying)).toThrow(`read-many.lua: ${problem}`);
  });
});
