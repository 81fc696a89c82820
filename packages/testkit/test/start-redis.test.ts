import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { startRedis } from '@millrace/testkit';
import type { RedisServer } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { isRunning } from './is-running.ts';

/** Runs on a connection that is closed again, also when the server is gone or frozen by then. */
async function withConnection<T>(server: RedisServer, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(server.url, { retryStrategy: () => null });
  redis.on('error', () => {}); // a server that ends under its connection is what these tests are about
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

const setting = async (redis: Redis, name: string): Promise<string | undefined> =>
  (await redis.config('GET', name))[1];

test('a private server is durable, does not evict and listens on loopback only', async () => {
  await using server = await startRedis();
  await withConnection(server, async (redis) => {
    expect(await setting(redis, 'appendonly')).toBe('yes');
    expect(await setting(redis, 'appendfsync')).toBe('everysec');
    expect(await setting(redis, 'maxmemory-policy')).toBe('noeviction');
    expect(await setting(redis, 'bind')).toBe('127.0.0.1');
    expect(await setting(redis, 'save')).toBe('');
  });
});

test('directives replace the defaults, and one of them can be given several times', async () => {
  await using server = await startRedis({
    directives: {
      appendonly: 'no',
      'maxmemory-policy': 'allkeys-lru',
      user: ['one on nopass ~one:* +@all', 'two on nopass ~two:* +@all'],
    },
  });
  await withConnection(server, async (redis) => {
    expect(await setting(redis, 'appendonly')).toBe('no');
    expect(await setting(redis, 'maxmemory-policy')).toBe('allkeys-lru');
    expect(await redis.acl('USERS')).toEqual(['default', 'one', 'two']);
  });
});

test('a password is asked for, and stands in the URL', async () => {
  await using server = await startRedis({ requirepass: 'pass "word" \\ with: @/#' });
  await withConnection(server, async (redis) => expect(await redis.ping()).toBe('PONG'));
  const anonymous = new Redis(server.port, server.host, { retryStrategy: () => null });
  anonymous.on('error', () => {});
  await expect(anonymous.ping()).rejects.toThrow(/NOAUTH/);
  anonymous.disconnect();
});

test('stop ends the server and deletes its data, once', async () => {
  const server = await startRedis();
  const folder = await withConnection(server, (redis) => setting(redis, 'dir'));
  const pid = server.pid ?? 0;
  expect([existsSync(folder ?? ''), isRunning(pid)]).toEqual([true, true]);
  await server.stop();
  await server.stop();
  expect([existsSync(folder ?? ''), isRunning(pid)]).toEqual([false, false]);
});

test('restart after a crash or in order keeps port and data', async () => {
  await using server = await startRedis();
  const { port, pid } = server;
  await withConnection(server, (redis) => redis.set('key', 'one'));
  await server.restart?.('SIGKILL');
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
  await withConnection(server, async (redis) => {
    expect(await redis.get('key')).toBe('one');
    await redis.set('key', 'two');
  });
  await server.signal('SIGSTOP');
  await server.restart?.('SIGTERM');
  await withConnection(server, async (redis) => expect(await redis.get('key')).toBe('two'));
});

test('a server that was killed comes back with restart and not after stop', async () => {
  await using server = await startRedis();
  await server.signal('SIGKILL');
  await expect(server.signal('SIGSTOP')).rejects.toThrow(/already ended/);
  await server.restart?.();
  await withConnection(server, async (redis) => expect(await redis.ping()).toBe('PONG'));
  await server.stop();
  await expect(server.restart?.()).rejects.toThrow(/was stopped/);
});

test('a frozen server answers when it goes on', async () => {
  await using server = await startRedis();
  await withConnection(server, async (redis) => {
    await redis.ping();
    await server.signal('SIGSTOP');
    const answer = redis.ping();
    await server.signal('SIGCONT');
    expect(await answer).toBe('PONG');
  });
});

test('a fixed port that is taken is refused by number', async () => {
  await using blocker = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const { port } = blocker.address() as AddressInfo;
  await expect(startRedis({ port })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`);
});

test('a directive that Redis refuses is reported with what Redis says', async () => {
  await expect(startRedis({ directives: { 'no-such-directive': 'yes' } })).rejects.toThrow(
    /did not start[^]*no-such-directive/,
  );
});

test('a directive cannot smuggle in a second line', async () => {
  await expect(startRedis({ directives: { maxmemory: '1mb\nport 1' } })).rejects.toThrow(/line break/);
});
