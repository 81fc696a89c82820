import { startRedis } from '@millrace/testkit';
import { expect } from 'vitest';
import { test } from '@millrace/testkit/vitest';
import { findWarnings, inspectServer, verifyVersion } from './inspect-server.ts';
import { parseInfo } from './parse-info.ts';
import { closeConnection, openConnection } from './open-connection.ts';

async function inspect(directives: Record<string, string>) {
  await using server = await startRedis({ directives });
  const redis = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'inspect');
  try {
    return await inspectServer(redis);
  } finally {
    await closeConnection(redis);
  }
}

test('a server that persists and never evicts gives no warning', async () => {
  const facts = await inspect({ appendonly: 'yes', 'maxmemory-policy': 'noeviction' });
  expect(facts).toEqual({
    version: expect.stringMatching(/^\d+\.\d+/),
    warnings: [],
  });
});

test('warns by the name of each setting that would lose records', async () => {
  const { warnings } = await inspect({ appendonly: 'no', save: '""', 'maxmemory-policy': 'allkeys-lru' });
  expect(warnings.map(({ setting, value }) => [setting, value])).toEqual([
    ['appendonly', 'no'],
    ['maxmemory-policy', 'allkeys-lru'],
  ]);
  expect(warnings[0]?.message).toContain('nothing is persisted');
});

test('snapshots alone are named as the lesser loss', async () => {
  const { warnings } = await inspect({ appendonly: 'no', save: '3600 1' });
  expect(warnings[0]?.message).toContain('since its last snapshot');
});

test('a cluster node is refused with what to do', async () => {
  await expect(inspect({ 'cluster-enabled': 'yes' })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('a node of a Redis Cluster'),
  });
});

test('a replica is refused, and may become a primary later', async () => {
  await expect(inspect({ replicaof: '127.0.0.1 1' })).rejects.toMatchObject({
    code: 'REDIS_REFUSED',
    retryable: true,
  });
});

test('where CONFIG is forbidden, the lesser loss is assumed', async () => {
  const { warnings } = await inspect({ appendonly: 'no', save: '""', 'rename-command': 'CONFIG ""' });
  expect(warnings[0]?.message).toContain('since its last snapshot');
});

test('where INFO is forbidden, the error names it', async () => {
  await using server = await startRedis({
    directives: { user: ['default on nopass ~* &* +@all', 'blind on nopass ~* &* +@all -info'] },
  });
  const redis = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'inspect');
  await redis.auth('blind', 'any');
  await expect(inspectServer(redis)).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: expect.stringContaining('INFO'),
  });
  await closeConnection(redis);
});

test.each([
  ['6.2.14', false],
  ['', false],
  ['garbage', false],
  ['5.0.7', false],
  ['7.0.0', true],
  ['7.2.4', true],
  ['8.10.1', true],
  ['10.0.0', true],
])('version %j accepted: %s', (version, isAccepted) => {
  const verify = (): void => verifyVersion(version);
  if (isAccepted) expect(verify).not.toThrow();
  else
    expect(verify).toThrow(
      expect.objectContaining({ code: 'REDIS_TOO_OLD', message: expect.stringContaining('7.0') }),
    );
});

test('parseInfo keeps values that hold a colon', () => {
  expect([...parseInfo('# Server\r\nredis_version:7.0.15\r\nexecutable:/a:b\r\n\r\n')]).toEqual([
    ['redis_version', '7.0.15'],
    ['executable', '/a:b'],
  ]);
});

test('a server that does not report a setting is not accused of it', () => {
  expect(findWarnings(new Map(), undefined)).toEqual([]);
});
