/**
 * TLS to a real Redis, behind a proxy that ends it: not every redis-server is built with TLS. The certificate in
 * `testdata` is for `localhost`, of an authority that nobody trusts, and protects nothing.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import {
  closeConnection,
  createKeys,
  decodeBatch,
  openConnection,
  openReader,
  readBatches,
  RedisLog,
  RedisTopicStore,
  type TlsConfig,
} from '@millrace/redis';
import { test } from '@millrace/testkit/vitest';
import { expect } from 'vitest';
import { appendRequest } from '../log/log-fixture.ts';

const testdata = (name: string): Promise<string> =>
  readFile(new URL(`testdata/${name}`, import.meta.url), 'utf8');

/** Answers the URL's port. */
async function startTlsProxy(redisUrl: string): Promise<{ port: number } & AsyncDisposable> {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    { cert: await testdata('server.pem'), key: await testdata('server-key.pem') },
    (socket) => {
      sockets.add(socket);
      const redis = connect(Number(port), hostname);
      for (const side of [socket, redis])
        side.on('error', () => {}).on('close', () => [socket, redis].forEach((one) => one.destroy()));
      socket.pipe(redis).pipe(socket);
    },
  );
  // A client that refuses the certificate breaks the handshake.
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

const open = (url: string, tls: TlsConfig) =>
  openConnection({ url, connectTimeoutMs: 10_000, tls }, 'command', 'tls');

test('connects to a server whose authority is given', async ({ redis }) => {
  await using proxy = await startTlsProxy(redis.url);
  const connection = await open(`rediss://localhost:${proxy.port}`, { ca: await testdata('authority.pem') });
  expect(await connection.ping()).toBe('PONG');
  await closeConnection(connection);
});

test('refuses a server of an unknown authority at once', async ({ redis }) => {
  await using proxy = await startTlsProxy(redis.url);
  await expect(open(`rediss://:hunter2@localhost:${proxy.port}`, {})).rejects.toMatchObject({
    name: 'ConfigError',
    code: 'TLS_FAILED',
    retryable: false,
    message: expect.not.stringContaining('hunter2'),
  });
});

test('refuses a certificate for another host, unless its name is given', async ({ redis }) => {
  await using proxy = await startTlsProxy(redis.url);
  const ca = await testdata('authority.pem');
  await expect(open(`rediss://127.0.0.1:${proxy.port}`, { ca })).rejects.toMatchObject({
    code: 'TLS_FAILED',
  });
  const connection = await open(`rediss://127.0.0.1:${proxy.port}`, { ca, servername: 'localhost' });
  await closeConnection(connection);
});

test('a client certificate that is none is told as such', async () => {
  const opening = open('rediss://localhost:1', { cert: 'not PEM', key: 'hunter2' });
  await expect(opening).rejects.toMatchObject({
    code: 'TLS_FAILED',
    message: expect.not.stringContaining('hunter2'),
  });
});

test('large batches are read through TLS as they were appended', async ({ redis, ioredis }) => {
  await using proxy = await startTlsProxy(redis.url);
  const keys = createKeys(redis.prefix);
  await new RedisTopicStore(ioredis, keys).create('orders', 1);
  const log = new RedisLog(ioredis, keys);
  const values = Array.from({ length: 8 }, (_, index) => String.fromCharCode(97 + index).repeat(200_000));
  for (const [sequence, value] of values.entries())
    await log.append(appendRequest({ sequence, values: [value] }));
  const tls = { ca: await testdata('authority.pem') };
  const config = { url: `rediss://localhost:${proxy.port}`, connectTimeoutMs: 10_000, tls };
  const reader = await openReader(config, keys, 'tls');
  const position = { topic: 'orders', partition: 0, offset: 0 };
  for (let time = 0; time < 2; time++) {
    const batches = await readBatches(reader, [position], { maxEntries: 10 });
    expect(batches.map(({ bytes }) => decodeBatch(bytes)[0]?.value?.toString())).toEqual(values);
  }
  await reader.close();
  await redis.clear();
});
