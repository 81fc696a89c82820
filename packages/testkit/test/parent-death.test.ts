/** SIGKILL of a parent runs no handler of ours: what must happen then is tested with real processes. */
import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import { eventually, startProcess } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { isRunning } from './is-running.ts';
import type { RedisOwnerReport } from './processes/redis-owner.ts';

const redisOwner = new URL('./processes/redis-owner.ts', import.meta.url);

test('Redis and its folder are gone after SIGKILL of the process that started it', async () => {
  await using owner = await startProcess<RedisOwnerReport>({ module: redisOwner });
  const { redis, folder } = await owner.waitFor(() => true);
  expect(isRunning(redis)).toBe(true);
  expect(existsSync(`${folder}/redis.conf`)).toBe(true);

  await owner.signal('SIGKILL');

  await eventually(() => !isRunning(redis), { what: 'the end of Redis' });
  await eventually(() => !existsSync(folder), { what: 'the end of its folder' });
});

test('a frozen Redis is gone after SIGKILL of the process that started it', async () => {
  await using owner = await startProcess<RedisOwnerReport | 'frozen'>({ module: redisOwner });
  const { redis, folder } = await owner.waitFor((message) => message !== 'frozen');
  await owner.send('freeze');
  await owner.waitFor((message) => message === 'frozen');

  await owner.signal('SIGKILL');

  await eventually(() => !isRunning(redis) && !existsSync(folder), { what: 'the end of Redis' });
});

test('Redis is gone when the process that started it ends without stopping it', async () => {
  await using owner = await startProcess<RedisOwnerReport>({ module: redisOwner });
  const { redis, folder } = await owner.waitFor(() => true);

  await owner.signal('SIGTERM');

  await eventually(() => !isRunning(redis) && !existsSync(folder), { what: 'the end of Redis' });
});

test('a frozen process and what it started are gone after SIGKILL of their parent', async () => {
  await using owner = await startProcess<{ pid: number; grandchild: number }>({
    module: new URL('./processes/process-owner.ts', import.meta.url),
  });
  const { pid, grandchild } = await owner.waitFor(() => true);
  expect([isRunning(pid), isRunning(grandchild)]).toEqual([true, true]);

  await owner.signal('SIGKILL');

  await eventually(() => !isRunning(pid) && !isRunning(grandchild), { what: 'the end of both' });
});
