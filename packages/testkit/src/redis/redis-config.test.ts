import { expect, test } from 'vitest';
import { mergeDirectives, renderRedisConfig } from './redis-config.ts';

const place = { folder: '/tmp/a folder', port: 7001 };

test('the file holds the place, then the durable defaults', () => {
  expect(renderRedisConfig(place, {}).split('\n')).toEqual([
    'bind 127.0.0.1',
    'port 7001',
    'daemonize no',
    'dir "/tmp/a folder"',
    'logfile "/tmp/a folder/redis.log"',
    'appendonly yes',
    'appendfsync everysec',
    'auto-aof-rewrite-percentage 0',
    'maxmemory-policy noeviction',
    'save ""',
    '',
  ]);
});

test("a caller's line replaces the default of that name, whatever its case", () => {
  const lines = mergeDirectives({ directives: { APPENDONLY: 'no', user: ['a on', 'b on'] } });
  expect(lines).toContainEqual(['appendonly', 'no']);
  expect(lines.filter(([name]) => name === 'appendonly')).toHaveLength(1);
  expect(lines.filter(([name]) => name === 'user')).toEqual([
    ['user', 'a on'],
    ['user', 'b on'],
  ]);
});

test('a password is quoted', () => {
  expect(mergeDirectives({ requirepass: String.raw`a"b\c` })).toContainEqual([
    'requirepass',
    String.raw`"a\"b\\c"`,
  ]);
});

test.for(['a\nb', 'a\rb', 'a\0b'])('a value with a line break (%j) is refused', (value) => {
  expect(() => mergeDirectives({ directives: { maxmemory: value } })).toThrow(TypeError);
  expect(() => mergeDirectives({ requirepass: value })).toThrow(TypeError);
});
