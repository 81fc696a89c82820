import { describe, expect, test } from 'vitest';
import { resolveConnectOptions, type ConnectOptions } from './connect-options.ts';

const resolve = (options: string | ConnectOptions, env: Record<string, string> = {}) =>
  resolveConnectOptions(options, env);

test('the URL comes from the argument, the environment, or is the local default', () => {
  const env = { REDIS_URL: 'redis://from-env:1' };
  expect(resolve('redis://given:2', env).config.url).toBe('redis://given:2');
  expect(resolve({ url: 'redis://given:2' }, env).config.url).toBe('redis://given:2');
  expect(resolve({}, env).config.url).toBe('redis://from-env:1');
  expect(resolve({}, { REDIS_URL: '' }).config.url).toBe('redis://127.0.0.1:6379');
  expect(resolve({}).config.url).toBe('redis://127.0.0.1:6379');
});

test('everything else has a default', () => {
  expect(resolve({})).toEqual({
    config: { url: 'redis://127.0.0.1:6379', connectTimeoutMs: 5_000 },
    prefix: 'millrace',
    name: expect.stringMatching(new RegExp(`-${process.pid}$`)),
  });
});

test('certificates go with a TLS URL', () => {
  expect(resolve({ url: 'rediss://h', tls: { ca: 'PEM' } }).config.tls).toEqual({ ca: 'PEM' });
});

describe('what is refused, by its name', () => {
  test.each<[ConnectOptions, string]>([
    [{ url: 'mysql://:hunter2@h' }, 'invalid Redis URL'],
    [{ url: 5 as never }, 'url must be a string'],
    [{ tls: {} }, 'rediss://'],
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
