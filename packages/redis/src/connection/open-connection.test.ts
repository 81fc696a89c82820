import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { eventually, startRedis } from '@millrace/testkit';
import { expect } from 'vitest';
import { test } from '@millrace/testkit/vitest';
import { closeConnection, openConnection } from './open-connection.ts';
import { toMillraceError } from './to-millrace-error.ts';

const PASSWORD = 'hunter2';

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error as Error,
  );
}

test('opens under the given name and closes completely', async ({ redis, ioredis }) => {
  const connection = await openConnection(
    { url: redis.url, connectTimeoutMs: 5_000 },
    'command',
    `${redis.prefix}:shop`,
  );
  expect(await ioredis.client('LIST')).toContain(`name=${redis.prefix}:shop `);
  await closeConnection(connection);
  await closeConnection(connection);
  expect(connection.status).toBe('end');
});

test('an unreachable server is named by host and port, the password never', async () => {
  const closed = createServer();
  const port = await listen(closed);
  closed.close();
  const url = `redis://:${PASSWORD}@127.0.0.1:${port}`;
  const error = await failure(openConnection({ url, connectTimeoutMs: 100 }, 'command', 'n'));
  expect(error).toMatchObject({ name: 'UnavailableError', code: 'REDIS_UNREACHABLE', retryable: true });
  expect(error.message).toContain(`127.0.0.1:${port}`);
  expect(error.message).toContain('ECONNREFUSED');
  expect(error.stack).not.toContain(PASSWORD);
});

test('a server that accepts and never answers runs into the deadline', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket));
  const port = await listen(silent);
  const error = await failure(
    openConnection({ url: `redis://127.0.0.1:${port}`, connectTimeoutMs: 100 }, 'command', 'n'),
  );
  expect(error).toMatchObject({ code: 'REDIS_UNREACHABLE', message: expect.stringContaining('no answer') });
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test('a wrong and a missing password fail at once, without showing one', async () => {
  await using server = await startRedis({ requirepass: 'right' });
  const wrong = `redis://:${PASSWORD}@${server.host}:${server.port}`;
  const missing = `redis://${server.host}:${server.port}`;
  for (const url of [wrong, missing]) {
    const error = await failure(openConnection({ url, connectTimeoutMs: 600_000 }, 'command', 'n'));
    expect(error).toMatchObject({ name: 'ConfigError', code: 'AUTHENTICATION_FAILED', retryable: false });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(PASSWORD);
    expect(error.message).toContain(`${server.host}:${server.port}`);
  }
  const connection = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'n');
  await closeConnection(connection);
});

test('waits for a Redis that is started at the same time', async () => {
  const reserved = createServer();
  const port = await listen(reserved);
  reserved.close();
  const opening = openConnection(
    { url: `redis://127.0.0.1:${port}`, connectTimeoutMs: 15_000 },
    'command',
    'n',
  );
  await using _server = await startRedis({ port });
  await closeConnection(await opening);
});

test('a TLS client does not fall back to a plain connection', async () => {
  await using server = await startRedis();
  const url = `rediss://${server.host}:${server.port}`;
  const opening = openConnection({ url, connectTimeoutMs: 300 }, 'command', 'n');
  await expect(opening).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
});

test('a name that CLIENT SETNAME would refuse is refused here', async () => {
  const opening = openConnection({ url: 'redis://h', connectTimeoutMs: 1 }, 'command', 'two words');
  await expect(opening).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});

test('a lost connection fails its commands once, as unknown, and comes back by itself', async ({
  redis,
  ioredis,
}) => {
  const connection = await openConnection(
    { url: redis.url, connectTimeoutMs: 5_000 },
    'reader',
    `${redis.prefix}:lost`,
  );
  const id = await connection.client('ID');
  const blocked = failure(connection.xread('BLOCK', 5_000, 'STREAMS', `${redis.prefix}:none`, '0'));
  await eventually(async () => String(await ioredis.client('LIST')).includes('cmd=xread'));
  await ioredis.client('KILL', 'ID', id);
  expect(toMillraceError(await blocked, 'read')).toMatchObject({
    code: 'REDIS_UNREACHABLE',
    details: { execution: 'unknown' },
  });
  const refused = await failure(connection.ping());
  expect(toMillraceError(refused, 'ping')).toMatchObject({
    code: 'REDIS_UNREACHABLE',
    details: { execution: 'none' },
  });
  await eventually(() => connection.status === 'ready');
  expect(await connection.client('ID')).not.toBe(id);
  await closeConnection(connection);
});

test('closes while it waits for the next attempt', async () => {
  const server = await startRedis();
  const connection = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'n');
  await server.stop();
  await eventually(() => connection.status === 'reconnecting', { intervalMs: 1 });
  await closeConnection(connection);
});
