/** A single private Redis from a binary on this machine, in the shape that every source of a Redis gives. */
import { renderRedisConfig } from './redis-config.ts';
import { redisUrl } from './redis-server.ts';
import type { RedisServer, StartRedisOptions } from './redis-server.ts';
import { loopback, startServerProcess } from './server-process.ts';

/** Throws when the server does not start; the message holds the end of its log. */
export async function startEmbeddedRedis(
  binary: string,
  options: StartRedisOptions = {},
): Promise<RedisServer> {
  const server = await startServerProcess({
    binary,
    config: (place) => renderRedisConfig(place, options),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.requirepass === undefined ? {} : { password: options.requirepass }),
    ...(options.startTimeoutMs === undefined ? {} : { startTimeoutMs: options.startTimeoutMs }),
  });
  return {
    url: redisUrl(loopback, server.port, options.requirepass),
    host: loopback,
    port: server.port,
    source: 'binary',
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    signal: (name) => server.signal(name),
    restart: (name) => server.restart(name),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
