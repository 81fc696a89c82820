import { once } from 'node:events';
import { eventually, startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { test } from '@millrace/testkit/vitest';
import { keepSubscribed } from './keep-subscribed.ts';
import { closeConnection, openConnection } from './open-connection.ts';

test('a subscription survives a broken connection, and one that breaks again while it subscribes', async () => {
  // A server of its own, because the test changes what its users may do.
  await using server = await startRedis();
  const observer = new Redis(server.url);
  const lease = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'lease', 'lease');
  let readyCount = 0;
  lease.on('ready', () => readyCount++);
  const channels = ['{g}:a', '{g}:b'] as const;
  const subscribers = async (): Promise<unknown> => observer.call('pubsub', 'SHARDNUMSUB', ...channels);
  const both = [channels[0], 1, channels[1], 1];

  const stop = await keepSubscribed(lease, channels);
  expect(await subscribers()).toEqual(both);
  // Redis closes the connection at once, and every later subscription is refused.
  await observer.call('acl', 'SETUSER', 'default', 'resetchannels');
  await eventually(() => readyCount >= 2);
  await observer.call('acl', 'SETUSER', 'default', 'allchannels');
  await eventually(async () => expect(await subscribers()).toEqual(both));

  const message = once(lease, 'smessage');
  await observer.spublish(channels[1], 'hello');
  expect(await message).toEqual([channels[1], 'hello']);

  await stop();
  expect(await subscribers()).toEqual([channels[0], 0, channels[1], 0]);
  await closeConnection(lease);
  await observer.quit();
});

test('the first subscription fails aloud', async ({ redis }) => {
  const lease = await openConnection(
    { url: redis.url, connectTimeoutMs: 5_000 },
    'lease',
    `${redis.prefix}:lease`,
  );
  await closeConnection(lease);
  await expect(keepSubscribed(lease, ['c'])).rejects.toThrow('Connection is closed');
  expect(lease.listenerCount('ready')).toBe(0);
});
