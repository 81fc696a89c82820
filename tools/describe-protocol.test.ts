import { expect, test } from 'vitest';
import {
  memberComments,
  readLuaHeader,
  readTimes,
  renderKeys,
  renderScripts,
  replaceSection,
} from './describe-protocol.ts';

test('a header is read with the lines that continue it', () => {
  const source = [
    '#!lua flags=no-writes',
    '-- Purpose: look at a thing,',
    '--          twice.',
    '-- KEYS[1] the hash: id -> <value>,',
    '--         newest last',
    '-- KEYS[2...] channels',
    '-- ARGV[1] member id',
    "-- Returns: {'OK', value}",
    "--          {'STALE'}",
    '-- Keeps: nothing is written.',
    'local a = KEYS[1]',
    '-- KEYS[9] a comment of the body',
  ].join('\n');
  const script = readLuaHeader('look-at-thing', source);
  expect(script).toEqual({
    name: 'look-at-thing',
    flags: 'no-writes',
    purpose: 'look at a thing, twice.',
    keys: ['`KEYS[1]` the hash: id -> <value>, newest last', '`KEYS[2...]` channels'],
    args: ['`ARGV[1]` member id'],
    returns: ["{'OK', value}", "{'STALE'}"],
    keeps: 'nothing is written.',
  });
  const page = renderScripts([script]);
  expect(page).toContain(
    '### look-at-thing\n\nLook at a thing, twice. (`no-writes`)\n\n- `KEYS[1]` the hash: id -> \\<value>',
  );
  expect(page).toContain("```text\n{'OK', value}\n{'STALE'}\n```");
});

test('a header without a section is refused', () => {
  expect(() => readLuaHeader('x', '#!lua\n-- Purpose: p\n-- Returns: r\n')).toThrow(
    'x: the header has no "Keeps"',
  );
});

const KEYS = [
  'export interface Other {\n  readonly first: string;\n}',
  'export interface Keys {',
  '  /** Hash: one. */',
  '  readonly one: string;',
  '  /**',
  '   * Two,',
  '   * on two lines.',
  '   */',
  '  two(name: string): string;',
  '  nested(name: string): Other;',
  '}',
].join('\n');

test('the comments of text members are found, each at its own member', () => {
  expect([...memberComments(KEYS, 'Keys')]).toEqual([
    ['one', 'Hash: one.'],
    ['two', 'Two, on two lines.'],
  ]);
});

test('a member without a comment is refused, and so is an interface that is not there', () => {
  expect(() => memberComments(KEYS, 'Other')).toThrow('Other.first has no doc comment');
  expect(() => memberComments(KEYS, 'Gone')).toThrow('there is no exported interface Gone');
});

test('times are read with their comments', () => {
  const source = '/** The\n * first. */\nexport const FIRST_MS = 1_500;\n\nexport const COUNT = 3;\n';
  expect(readTimes(source)).toEqual([{ name: 'FIRST_MS', milliseconds: 1_500, description: 'The first.' }]);
  expect(() => readTimes('export const LATE_MS = 2;')).toThrow('LATE_MS has no doc comment');
});

test('a table survives bars and tags', () => {
  expect(renderKeys([{ key: 'a', description: 'x | <y> `<z>`' }])).toContain('| `a` | x \\| \\<y> `<z>` |');
});

test('a section is replaced and what is around it stays; twice is once', () => {
  const page = 'before\n<!-- generated: a -->\nold\n<!-- end: a -->\nafter';
  const once = replaceSection(page, 'a', 'new');
  expect(once).toBe('before\n<!-- generated: a -->\n\nnew\n\n<!-- end: a -->\nafter');
  expect(replaceSection(once, 'a', 'new')).toBe(once);
  expect(() => replaceSection(page, 'b', 'new')).toThrow('the page has no marks');
});
