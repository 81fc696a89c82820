/** Where a Redis comes from: the order, with machines that lack things made from a PATH of our own. */
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject } from 'vitest';
import { NoRedisError, provideRedis, startRedis } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';
import { dockerAnswers } from '../src/redis/docker-redis.ts';
import { findExecutable } from '../src/redis/find-redis-binary.ts';

const realBinary =
  (await findExecutable('redis-server', process.env['PATH'] ?? '')) ??
  (await findExecutable('valkey-server', process.env['PATH'] ?? ''));
const noDocker = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
const isRoot = process.getuid?.() === 0;
const isDebian = isRoot && (await findExecutable('apt-get', process.env['PATH'] ?? '')) !== undefined;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-path-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function putProgram(name: string, script: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

test('REDIS_URL is used first, and left alone', async ({ redis }) => {
  await putProgram('redis-server', 'exit 1');
  const lines: string[] = [];
  const notify = (line: string) => void lines.push(line);
  const server = await provideRedis({ env: { REDIS_URL: redis.url, PATH: folder }, notify });
  expect(server).toMatchObject({ source: 'url', url: redis.url, port: Number(new URL(redis.url).port) });
  await expect(server.signal('SIGKILL')).rejects.toThrow(/REDIS_URL gave it/);
  await server.stop();
  const still = new Redis(redis.url);
  expect(await still.ping()).toBe('PONG');
  await still.quit();
  expect(lines).toEqual([]);
});

test('a REDIS_URL that does not answer is an error with host and port, and without the password', async () => {
  await using closed = await startRedis();
  await closed.signal('SIGKILL');
  const env = { REDIS_URL: `redis://:hunter2@127.0.0.1:${closed.port}` };
  const error = await provideRedis({ env }).catch((reason: unknown) => reason);
  expect(error).toHaveProperty('message', expect.stringContaining(`127.0.0.1:${closed.port}`));
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
});

test('a wrong password in REDIS_URL is an error that does not show it', async () => {
  await using server = await startRedis({ requirepass: 'right' });
  const env = { REDIS_URL: `redis://:hunter2@127.0.0.1:${server.port}` };
  const error = await provideRedis({ env }).catch((reason: unknown) => reason);
  expect(error).toHaveProperty('message', expect.stringMatching(/WRONGPASS|invalid/i));
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
});

test.for(['localhost:6379', 'http://localhost', 'redis://', 'redis:6379'])(
  'a REDIS_URL like %s is refused with the right form',
  async (url) => {
    await expect(provideRedis({ env: { REDIS_URL: url } })).rejects.toThrow(/must look like redis:/);
  },
);

test.skipIf(realBinary === undefined)('the binary on the PATH comes next, by either name', async () => {
  await symlink(realBinary ?? '', join(folder, 'valkey-server'));
  await using server = await provideRedis({ env: { PATH: folder, ...noDocker } });
  expect(server.source).toBe('binary');
  expect(server.pid).toBeGreaterThan(0);
});

test('a binary that is too old is not used, and said to be', async () => {
  await putProgram(
    'redis-server',
    'echo "Redis server v=6.2.14 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64"',
  );
  const env = { PATH: folder, ...noDocker };
  await expect(provideRedis({ env })).rejects.toThrow(/is version 6\.2\.14, 7\.0 or newer is needed/);
});

test('without any of them the error names the command that installs one', async () => {
  const error = await provideRedis({ env: { PATH: folder, ...noDocker } }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NoRedisError);
  expect(error).toMatchObject({ code: 'NO_REDIS', retryable: false });
  expect((error as Error).message).toMatch(/no Docker daemon answers\.\nInstall one with: \S+/);
});

test.skipIf(!isDebian || realBinary === undefined)('on Debian as root it is installed', async () => {
  // An apt-get that "installs" by putting the real binary onto the PATH, and keeps what it was asked.
  await putProgram(
    'apt-get',
    `echo "$* $DEBIAN_FRONTEND $RUNLEVEL" >> "${folder}/asked"
     case "$*" in *install*) /bin/ln -s "${realBinary}" "${folder}/redis-server" ;; esac`,
  );
  const lines: string[] = [];
  const notify = (line: string) => void lines.push(line);
  await using server = await provideRedis({ env: { PATH: folder, ...noDocker }, notify });
  expect(server.source).toBe('binary');
  expect(lines).toEqual([expect.stringMatching(/installing redis-server with apt-get/)]);
  const asked = (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n');
  expect(asked).toEqual([
    expect.stringMatching(/ update noninteractive 1$/),
    expect.stringMatching(/ install -y --no-install-recommends redis-server noninteractive 1$/),
  ]);
});

test.skipIf(!isDebian)('an installation that fails is reported with what apt-get said', async () => {
  await putProgram('apt-get', 'echo "E: Unable to locate package redis-server" >&2; exit 100');
  const env = { PATH: folder, ...noDocker };
  await expect(provideRedis({ env, notify: () => {} })).rejects.toThrow(
    /apt-get update failed: E: Unable to locate package redis-server\.\nInstall one with/,
  );
});

test('a Docker daemon is found by its answer to a ping', async () => {
  const socket = join(folder, 'docker.sock');
  await using daemon = createServer((request, response) => {
    response.statusCode = request.url === '/_ping' ? 200 : 404;
    response.end('OK');
  });
  await new Promise<void>((resolve) => daemon.listen(socket, resolve));
  expect(await dockerAnswers({ DOCKER_HOST: `unix://${socket}` })).toBe(true);
  expect(await dockerAnswers(noDocker)).toBe(false);
  expect(await dockerAnswers({ DOCKER_HOST: 'ssh://host' })).toBe(false);
});

test('a Docker daemon that accepts and never answers does not hang the start', async () => {
  const socket = join(folder, 'docker.sock');
  await using daemon = createServer(() => {});
  await new Promise<void>((resolve) => daemon.listen(socket, resolve));
  expect(await dockerAnswers({ DOCKER_HOST: `unix://${socket}` }, 50)).toBe(false);
  daemon.closeAllConnections();
});

test('the shared Redis of this run is one that provideRedis gave', async ({ ioredis }) => {
  expect(inject('redisUrl')).toMatch(/^rediss?:\/\//);
  expect(await ioredis.ping()).toBe('PONG');
});
