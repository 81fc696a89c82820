/**
 * Opens a connection and waits until it can be used. Afterwards ioredis keeps it alive: it reconnects by itself with
 * growing delays, and while it is down every command fails at once with `details.execution: 'none'`.
 */
import { Redis } from 'ioredis';
import { ConfigError, UnavailableError, type MillraceError } from '@millrace/core';
import { serverAddress, type ConnectionConfig } from './connection-config.ts';
import { connectionOptions, type ConnectionRole } from './connection-options.ts';
import { toMillraceError } from './to-millrace-error.ts';

export type RedisConnection = Redis;

/**
 * Resolves when the connection is ready (authenticated, data loaded). `name` is what CLIENT LIST shows.
 *
 * Tries again until `connectTimeoutMs` is over, so that a worker survives a Redis that starts at the same time; what
 * another attempt cannot change fails at once. Throws `REDIS_UNREACHABLE`, `REDIS_REFUSED` (UnavailableError),
 * `AUTHENTICATION_FAILED`, `PERMISSION_DENIED`, `TLS_FAILED` or `INVALID_OPTION` (ConfigError); host and port are named,
 * credentials never.
 *
 * Subscriptions are not restored by the driver; use `keepSubscribed`.
 */
export async function openConnection(
  config: ConnectionConfig,
  role: ConnectionRole,
  name: string,
): Promise<RedisConnection> {
  if (/[^!-~]/.test(name)) {
    throw new ConfigError(
      'INVALID_OPTION',
      `invalid connection name ${JSON.stringify(name)}: use printable ASCII without spaces`,
    );
  }
  const address = serverAddress(config);
  const redis = new Redis(connectionOptions(config, role, name));
  // Stays for ever: an 'error' event without a listener is printed by ioredis, command arguments included.
  redis.on('error', () => {});
  try {
    await untilReady(redis, config.connectTimeoutMs, address);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** Ends the connection and waits until its socket is closed. Commands in flight are rejected. */
export async function closeConnection(redis: RedisConnection): Promise<void> {
  // Between two attempts there is no socket, and ioredis does not tell the end of one.
  if (redis.status === 'reconnecting') {
    redis.disconnect();
    return;
  }
  if (redis.status === 'end') return;
  const ended = new Promise<void>((resolve) => {
    redis.once('end', resolve);
  });
  redis.disconnect();
  await ended;
}

function untilReady(redis: Redis, timeoutMs: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: MillraceError | undefined;
    const settle = (error?: MillraceError): void => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      redis.off('error', onError);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onReady = (): void => settle();
    const onError = (error: unknown): void => {
      last = toMillraceError(error, `connecting to Redis at ${address}`);
      if (!last.retryable) settle(last);
    };
    const timer = setTimeout(() => settle(timedOut(address, timeoutMs, last)), timeoutMs);
    redis.on('ready', onReady);
    redis.on('error', onError);
    // Its rejection says only that the first attempt failed; the events above decide.
    redis.connect().catch(() => {});
  });
}

function timedOut(address: string, timeoutMs: number, last: MillraceError | undefined): UnavailableError {
  const reason = last?.cause instanceof Error ? last.cause.message : 'no answer';
  const code = last?.code === 'REDIS_REFUSED' ? 'REDIS_REFUSED' : 'REDIS_UNREACHABLE';
  return new UnavailableError(
    code,
    `Redis at ${address} cannot be used: ${reason} (tried for ${timeoutMs} ms); check host and port, and that Redis runs`,
    { ...(last === undefined ? {} : { cause: last.cause }), details: { address, timeoutMs } },
  );
}
