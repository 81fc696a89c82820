/** A Redis that a test file has for itself: one that it may pause, starve or make forget, which others would feel. */
import { closeConnection, openConnection, type RedisConnection } from '@millrace/redis';
import { startRedis, type RedisServer } from '@millrace/testkit';
import { test as redisTest } from '@millrace/testkit/vitest';

/** `server` lives as long as the file; `open` gives connections to it, emptied at the begin of every test. */
export const test = redisTest
  .extend<'server', RedisServer>(
    'server',
    { scope: 'file' },
    // oxlint-disable-next-line no-empty-pattern -- how vitest names a fixture that needs no other
    async ({}, { onCleanup }) => {
      const server = await startRedis();
      onCleanup(() => server.stop());
      return server;
    },
  )
  .extend<{ open: () => Promise<RedisConnection> }>({
    open: async ({ server }, use) => {
      const opened: RedisConnection[] = [];
      const open = async (): Promise<RedisConnection> => {
        const connection = await openTo(server);
        opened.push(connection);
        return connection;
      };
      const first = await open();
      await first.config('SET', 'maxmemory', 0);
      await first.config('SET', 'min-replicas-to-write', 0);
      await first.flushall();
      await first.config('RESETSTAT');
      await use(open);
      await Promise.all(opened.map((connection) => closeConnection(connection)));
    },
  });

export function openTo(server: RedisServer): Promise<RedisConnection> {
  return openConnection({ url: server.url, connectTimeoutMs: 5000 }, 'command', 'own-server');
}

/** How often the server has run a command in this test. */
export async function callsOf(admin: RedisConnection, command: string): Promise<number> {
  const stats = await admin.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}
