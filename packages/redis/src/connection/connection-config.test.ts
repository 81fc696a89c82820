import { describe, expect, test } from 'vitest';
import { describeTarget, parseRedisUrl } from './connection-config.ts';

describe('parseRedisUrl', () => {
  test.each([
    ['redis://cache.internal', { host: 'cache.internal', port: 6379, database: 0, isTls: false }],
    ['redis://127.0.0.1:7000/3', { host: '127.0.0.1', port: 7000, database: 3, isTls: false }],
    ['rediss://[::1]:6380', { host: '::1', port: 6380, database: 0, isTls: true }],
    ['redis://:s%40cret@h', { host: 'h', port: 6379, database: 0, isTls: false, password: 's@cret' }],
    [
      'redis://ann:pa%2Fss@h:1',
      { host: 'h', port: 1, database: 0, isTls: false, username: 'ann', password: 'pa/ss' },
    ],
  ])('reads %s', (url, endpoint) => {
    expect(parseRedisUrl(url)).toEqual(endpoint);
  });

  test.each([
    ['nonsense:hunter2', 'scheme'],
    ['hunter2', 'cannot be parsed'],
    ['http://:hunter2@host', 'scheme'],
    ['redis://:hunter2@', 'cannot be parsed'],
    ['redis:///0', 'names no host'],
    ['redis://:hunter2@host:99999', 'cannot be parsed'],
    ['redis://:hunter2@host/zero', 'database number'],
    ['redis://:hunter2@host?tls=true', 'query parameters'],
    ['redis://:a@host#hunter2', 'query parameters'],
    ['redis://:hunter2%zz@host', 'percent-encoding'],
  ])('refuses %s without repeating it', (url, problem) => {
    const parse = (): unknown => parseRedisUrl(url);
    expect(parse).toThrow(
      expect.objectContaining({ name: 'ConfigError', code: 'INVALID_OPTION', retryable: false }),
    );
    expect(parse).toThrow(problem);
    expect(parse).not.toThrow('hunter2');
  });
});

test('a target is described by hosts and ports alone', () => {
  const connectTimeoutMs = 1;
  const [url, other] = ['redis://ann:hunter2@[::1]:7000/1', 'redis://:hunter2@h'];
  expect(describeTarget({ url, connectTimeoutMs })).toBe('Redis at [::1]:7000/1');
  expect(describeTarget({ kind: 'cluster', seeds: [url, other], connectTimeoutMs })).toBe(
    'Redis Cluster with the seeds [::1]:7000, h:6379',
  );
  const sentinels = [
    { host: 'a', port: 1 },
    { host: '::1', port: 2 },
  ];
  expect(
    describeTarget({
      kind: 'sentinel',
      name: 'main',
      sentinels,
      database: 0,
      password: 'hunter2',
      connectTimeoutMs,
    }),
  ).toBe('Redis "main" of the Sentinels at a:1, [::1]:2');
});
