/** One client among many that share a proxy: it is known by the name that it gives itself. */
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import { startFaultProxy } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

test('hits the connections of one client by its name, those that it makes later too', async ({ redis }) => {
  const url = new URL(redis.url);
  const proxy = await startFaultProxy({ target: { host: url.hostname, port: Number(url.port || 6379) } });
  onTestFinished(() => proxy.stop());
  url.host = `${proxy.host}:${proxy.port}`;
  const connect = (name: string): Redis => {
    const client = new Redis(url.href, {
      connectionName: `${redis.prefix}:${name}`,
      retryStrategy: () => null,
      commandTimeout: 300,
    });
    client.on('error', () => {});
    onTestFinished(() => client.disconnect());
    return client;
  };
  const [hit, spared] = [connect('hit'), connect('spared')];
  await Promise.all([hit.ping(), spared.ping()]);
  expect(proxy.connections.map(({ clientName }) => clientName ?? '').sort()).toEqual([
    `${redis.prefix}:hit`,
    `${redis.prefix}:spared`,
  ]);

  const fault = proxy.apply(
    { kind: 'blackhole' },
    { select: ({ clientName }) => clientName === `${redis.prefix}:hit` },
  );
  await expect(hit.ping()).rejects.toThrow(/timed out/);
  await expect(connect('hit').ping()).rejects.toThrow(/timed out/);
  await expect(spared.ping()).resolves.toBe('PONG');
  await expect(connect('spared').ping()).resolves.toBe('PONG');
  fault.heal();
  await expect(hit.ping()).resolves.toBe('PONG');
});
