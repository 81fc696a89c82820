import { inspect } from 'node:util';
import { ConfigError } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { toMillraceError } from './to-millrace-error.ts';

/** As ioredis throws them: with the command and all its arguments attached. */
function driverError(message: string, properties: object = {}): Error {
  return Object.assign(
    new Error(message),
    { command: { name: 'hello', args: ['3', 'AUTH', 'default', 'hunter2'] } },
    properties,
  );
}

describe('toMillraceError', () => {
  test.each([
    ['NOAUTH HELLO must be called with the client already authenticated', 'AUTHENTICATION_FAILED', 'none'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'AUTHENTICATION_FAILED', 'none'],
    ['ERR invalid password', 'AUTHENTICATION_FAILED', 'none'],
    ["NOPERM User ann has no permissions to run the 'evalsha' command", 'PERMISSION_DENIED', 'none'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'REDIS_REFUSED', 'none'],
    ["READONLY You can't write against a read only replica.", 'REDIS_REFUSED', 'none'],
    ['LOADING Redis is loading the dataset in memory', 'REDIS_REFUSED', 'none'],
    ['MISCONF Redis is configured to save RDB snapshots', 'REDIS_REFUSED', 'none'],
    ['CLUSTERDOWN The cluster is down', 'REDIS_REFUSED', 'none'],
    ['MOVED 1 127.0.0.1:7001', 'REDIS_REFUSED', 'none'],
    ['UNBLOCKED force unblock from blocking operation', 'REDIS_REFUSED', 'none'],
    [
      'Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple keys request',
      'REDIS_REFUSED',
      'none',
    ],
    [
      'Too many Cluster redirections. Last error: Error: Connection is closed.',
      'REDIS_UNREACHABLE',
      'unknown',
    ],
    ["Cluster isn't ready and enableOfflineQueue options is false", 'REDIS_UNREACHABLE', 'none'],
    ['None of startup nodes is available', 'REDIS_UNREACHABLE', 'none'],
    ['Command timed out', 'REDIS_UNREACHABLE', 'unknown'],
    ['ERR max number of clients reached', 'REDIS_REFUSED', 'none'],
    ["Stream isn't writeable and enableOfflineQueue options is false", 'REDIS_UNREACHABLE', 'none'],
    ['Connection is closed.', 'REDIS_UNREACHABLE', 'unknown'],
    ["Socket timeout. Expecting data, but didn't receive any in 10000ms.", 'REDIS_UNREACHABLE', 'unknown'],
    ['ERR DB index is out of range', 'INVALID_OPTION', 'none'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'UNEXPECTED_REPLY', 'unknown'],
    ['ERR user_script:3: attempt to index a nil value', 'UNEXPECTED_REPLY', 'unknown'],
  ])('%s', (message, code, execution) => {
    const error = toMillraceError(driverError(message), 'append to orders/3');
    expect(error).toMatchObject({ code, details: { execution } });
    expect(error.message).toMatch(/^append to orders\/3: /);
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });

  test.each([
    [{ name: 'MaxRetriesPerRequestError' }, 'REDIS_UNREACHABLE'],
    [{ name: 'AbortError' }, 'REDIS_UNREACHABLE'],
    [{ code: 'ECONNREFUSED' }, 'REDIS_UNREACHABLE'],
    [{ code: 'ENOTFOUND' }, 'REDIS_UNREACHABLE'],
    [{ code: 'CERT_HAS_EXPIRED' }, 'TLS_FAILED'],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'TLS_FAILED'],
  ])('an error with %o', (properties, code) => {
    expect(toMillraceError(driverError('it broke', properties), 'here')).toMatchObject({ code });
  });

  test('cuts off the arguments that Redis quotes', () => {
    const quoted = driverError(
      "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 'hunter2' ",
    );
    expect(inspect(toMillraceError(quoted, 'connecting'), { depth: 9 })).not.toContain('hunter2');
  });

  test('only what may succeed later is retryable', () => {
    expect(toMillraceError(driverError('LOADING'), 'x').retryable).toBe(true);
    expect(toMillraceError(driverError('Connection is closed.'), 'x').retryable).toBe(true);
    expect(toMillraceError(driverError('NOPERM no'), 'x').retryable).toBe(false);
    expect(toMillraceError(driverError('ERR what'), 'x').retryable).toBe(false);
  });

  test('passes its own errors through, and takes anything that was thrown', () => {
    const own = new ConfigError('INVALID_NAME', 'no');
    expect(toMillraceError(own, 'x')).toBe(own);
    expect(toMillraceError('hunter2', 'x')).toMatchObject({
      code: 'UNEXPECTED_REPLY',
      message: expect.not.stringContaining('hunter2'),
    });
  });
});
