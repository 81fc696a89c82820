import { describe, expect, test } from 'vitest';
import { silentLogger } from '../logging/logger.ts';
import { resolveConnectOptions, type ConnectOptions } from './connect-options.ts';

const resolve = (options: string | ConnectOptions, env: Record<string, string> = {}) =>
  resolveConnectOptions(options, env);

function urlOf(options: string | ConnectOptions, env: Record<string, string> = {}): string {
  const { config } = resolve(options, env);
  return 'url' in config ? config.url : '';
}

test('the URL comes from the argument, the environment, or is the local default', () => {
  const env = { REDIS_URL: 'redis://from-env:1' };
  expect(urlOf('redis://given:2', env)).toBe('redis://given:2');
  expect(urlOf({ url: 'redis://given:2' }, env)).toBe('redis://given:2');
  expect(urlOf({}, env)).toBe('redis://from-env:1');
  expect(urlOf({}, { REDIS_URL: '' })).toBe('redis://127.0.0.1:6379');
  expect(urlOf({})).toBe('redis://127.0.0.1:6379');
});

test('everything else has a default', () => {
  expect(resolve({})).toEqual({
    config: { kind: 'single', url: 'redis://127.0.0.1:6379', connectTimeoutMs: 5_000 },
    prefix: 'millrace',
    name: expect.stringMatching(new RegExp(`-${process.pid}$`)),
  });
});

test('certificates go with a TLS URL', () => {
  expect(resolve({ url: 'rediss://h', tls: { ca: 'PEM' } }).config).toMatchObject({ tls: { ca: 'PEM' } });
});

test('Sentinels are named by text or by parts', () => {
  const sentinels = ['s1', 's2:2', '[::1]:3', { host: 's4' }, { host: 's5', port: 5 }];
  expect(resolve({ sentinel: { name: 'main', sentinels, password: 'pw' } }).config).toEqual({
    kind: 'sentinel',
    name: 'main',
    sentinels: [
      { host: 's1', port: 26_379 },
      { host: 's2', port: 2 },
      { host: '::1', port: 3 },
      { host: 's4', port: 26_379 },
      { host: 's5', port: 5 },
    ],
    database: 0,
    password: 'pw',
    connectTimeoutMs: 5_000,
  });
});

test('a cluster is named by seeds, whatever the environment says', () => {
  const seeds = ['rediss://ann:pw@a:1', 'rediss://ann:pw@b'];
  const env = { REDIS_URL: 'redis://from-env:1' };
  expect(resolve({ cluster: { seeds, tls: { ca: 'PEM' } } }, env).config).toEqual({
    kind: 'cluster',
    seeds,
    tls: { ca: 'PEM' },
    connectTimeoutMs: 5_000,
  });
});

describe('what is refused, by its name', () => {
  test.each<[ConnectOptions, string]>([
    [{ url: 'mysql://:hunter2@h' }, 'invalid Redis URL'],
    [new URL('redis://:hunter2@h') as never, 'a URL as text'],
    [{ prefix: 5 as never }, 'invalid prefix 5'],
    [{ name: 5 as never }, 'invalid name 5'],
    [{ connectTimeoutMs: '5' as never }, 'connectTimeoutMs must be a number above 0, not "5"'],
    [
      { logger: 5 as never },
      '"logger" must be false or have the methods debug, info, warn, error, as pino has: a number without debug',
    ],
    [{ logger: {} as never }, 'an object without debug'],
    [{ logger: null as never }, 'null without debug'],
    [{ logger: { ...silentLogger, warn: true } as never }, 'an object without warn'],
    [{ url: 5 as never }, 'url must be a string'],
    [{ tls: {} }, 'rediss://'],
    [{ url: 'redis://h', cluster: { seeds: ['redis://h'] } }, 'one of url, sentinel and cluster'],
    [{ tls: {}, cluster: { seeds: ['rediss://h'] } }, 'inside of "cluster"'],
    [{ cluster: { seeds: [] } }, 'cluster.seeds'],
    [{ cluster: { seeds: 'redis://h' as never } }, 'cluster.seeds'],
    [{ cluster: { seeds: ['redis://:hunter2@h/1'] } }, 'cluster.seeds[0] names a database'],
    [{ cluster: { seeds: ['redis://a', 'redis://:hunter2@b'] } }, 'cluster.seeds[1] has other credentials'],
    [{ cluster: { seeds: ['redis://a', 'rediss://b'] } }, 'cluster.seeds[1] has another scheme'],
    [{ cluster: { seeds: ['redis://a'], tls: {} } }, 'cluster.tls'],
    [{ cluster: { seeds: ['hunter2'] } }, 'invalid Redis URL'],
    [{ sentinel: { name: '', sentinels: ['a'] } }, 'sentinel.name'],
    [{ sentinel: { name: 'main', sentinels: [] } }, 'sentinel.sentinels'],
    [{ sentinel: { name: 'main', sentinels: ['a', 'redis://:hunter2@b'] } }, 'sentinel.sentinels[1]'],
    [{ sentinel: { name: 'main', sentinels: ['ann:hunter2@b'] } }, 'sentinel.sentinels[0]'],
    [{ sentinel: { name: 'main', sentinels: [{ host: 'b', port: 0 }] } }, 'sentinel.sentinels[0]'],
    [{ sentinel: { name: 'main', sentinels: ['a'], database: -1 } }, 'sentinel.database'],
    [{ sentinel: { name: 'main', sentinels: ['a'], username: 'ann' } }, 'sentinel.password'],
    [{ sentinel: { name: 'main', sentinels: ['a'], sentinelUsername: 'ann' } }, 'sentinel.sentinelPassword'],
    [{ prefix: '' }, 'invalid prefix'],
    [{ prefix: 'a{b}' }, 'invalid prefix'],
    [{ prefix: 'a*' }, 'invalid prefix'],
    [{ name: 'two words' }, 'invalid name'],
    [{ connectTimeoutMs: 0 }, 'connectTimeoutMs'],
    [{ connectTimeoutMs: Infinity }, 'connectTimeoutMs'],
  ])('%o', (options, problem) => {
    expect(() => resolve(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(problem) }),
    );
    expect(() => resolve(options)).not.toThrow('hunter2');
  });
});

test('a logger is false, or whatever has its methods', () => {
  class Methods {
    debug(): void {}
    info(): void {}
    warn(): void {}
    error(): void {}
  }
  for (const logger of [undefined, false, silentLogger, new Methods()] as const)
    expect(() => resolve({ logger })).not.toThrow();
});
