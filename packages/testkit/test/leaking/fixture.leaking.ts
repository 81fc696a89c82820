/** Tests that the fixture must fail, and some that it must not. Run by `fixture-leaks.test.ts` only. */
import { writeFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { startProcess } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

test('uses redis and cleans up', async ({ redis, ioredis }) => {
  await ioredis.set(`${redis.prefix}:leaking:key`, 'value');
  await ioredis.unlink(`${redis.prefix}:leaking:key`);
});

test('cleans up in onTestFinished', async ({ redis, onTestFinished }) => {
  const connection = new Redis(redis.url, { connectionName: `${redis.prefix}:reader` });
  onTestFinished(async () => {
    await connection.unlink(`${redis.prefix}:leaking:key`);
    await connection.quit();
  });
  await connection.set(`${redis.prefix}:leaking:key`, 'value');
});

test('clears keys that it wrote by hand', async ({ redis, ioredis }) => {
  await ioredis.set(`${redis.prefix}:leaking:key`, 'value');
  await redis.clear();
});

test('closes its connection a little late', async ({ redis }) => {
  const connection = new Redis(redis.url, { connectionName: `${redis.prefix}:reader` });
  await connection.ping();
  // oxlint-disable-next-line no-restricted-globals -- being late is what this test is about
  setTimeout(() => connection.disconnect(), 100);
});

test('leaves keys', async ({ redis, ioredis }) => {
  for (let n = 0; n < 7; n++) await ioredis.set(`${redis.prefix}:leaking:${n}`, 'value');
});

test('leaves a connection', async ({ redis }) => {
  const connection = new Redis(redis.url, { connectionName: `${redis.prefix}:reader` });
  await connection.ping();
});

test('leaves a process', async () => {
  const child = await startProcess({ module: new URL('./sleeper.ts', import.meta.url) });
  await writeFile(process.env['LEAKING_PID_FILE'] ?? '', String(child.pid));
});

test('fails by itself and leaks', async ({ redis, ioredis }) => {
  await ioredis.set(`${redis.prefix}:leaking:kept`, 'value');
  await startProcess({ module: new URL('./sleeper.ts', import.meta.url) });
  throw new Error('its own reason');
});

test('has a name that another test has', ({ redis }) => void redis);
test('has a name that another test has', ({ redis }) => void redis);
