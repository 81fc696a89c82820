/** Needs a Docker daemon on this machine and, in MILLRACE_REDIS_IMAGE, an image that it has or can pull. */
import { Cluster, Redis } from 'ioredis';
import { expect } from 'vitest';
import { startDockerCluster } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { dockerAnswers, startDockerRedis } from '../../src/redis/docker-redis.ts';

const isPossible = process.env['MILLRACE_REDIS_IMAGE'] !== undefined && (await dockerAnswers(process.env));
const PATIENCE = { timeout: 180_000 };

test(
  'containers: a Cluster, reached from outside by the addresses that it tells',
  PATIENCE,
  async ({ skip }) => {
    skip(!isPossible, 'no Docker daemon answers, or MILLRACE_REDIS_IMAGE is not set');
    await using topology = await startDockerCluster({ startTimeoutMs: 120_000 });
    const client = new Cluster([...topology.connection.seeds]);
    try {
      for (const key of ['a', 'b', 'c', 'd']) expect(await client.set(key, key)).toBe('OK');
      expect(client.nodes('master')).toHaveLength(3);
    } finally {
      client.disconnect();
    }
  },
);

test('containers: a single Redis', PATIENCE, async ({ skip }) => {
  skip(!isPossible, 'no Docker daemon answers, or MILLRACE_REDIS_IMAGE is not set');
  await using server = await startDockerRedis({
    startTimeoutMs: 120_000,
    directives: { 'protected-mode': 'no' },
  });
  const client = new Redis(server.url);
  expect(await client.ping()).toBe('PONG');
  client.disconnect();
});
