/** A Redis that somebody else runs and that `REDIS_URL` names: checked once, used as it is, never stopped. */
import { Redis } from 'ioredis';
import type { RedisServer } from './redis-server.ts';

/** Rejects when the URL is malformed or the server does not answer. Messages name host and port, never the password. */
export async function useRedisUrl(url: string): Promise<RedisServer> {
  const { host, port } = parseRedisUrl(url);
  const probe = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let lastError: Error | undefined;
  probe.on('error', (error: Error) => (lastError = error));
  try {
    await probe.connect();
    await probe.ping();
  } catch (error) {
    const reason = lastError ?? error;
    // oxlint-disable-next-line preserve-caught-error -- a driver's error can hold the AUTH command, password included
    throw new Error(
      `REDIS_URL names ${host}:${port}, which does not answer: ${reason instanceof Error ? reason.message : String(reason)}`,
    );
  } finally {
    probe.disconnect();
  }
  const stop = async (): Promise<void> => {};
  return {
    url,
    host,
    port,
    source: 'url',
    stop,
    signal: async (name) => {
      throw new Error(
        `cannot send ${name} to the Redis at ${host}:${port}: REDIS_URL gave it, use startRedis()`,
      );
    },
    [Symbol.asyncDispose]: stop,
  };
}

function parseRedisUrl(url: string): { host: string; port: number } {
  if (URL.canParse(url)) {
    const { protocol, hostname, port } = new URL(url);
    if ((protocol === 'redis:' || protocol === 'rediss:') && hostname !== '') {
      return { host: hostname, port: port === '' ? 6379 : Number(port) };
    }
  }
  throw new Error('REDIS_URL must look like redis://[user:password@]host:port or rediss://…');
}
