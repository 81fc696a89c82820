/** The demo as a person starts it: a process, its output, its exit code, and what it leaves behind. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { eventually, startRedis } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

import { generateRepository } from '../src/history/generate-repository.ts';
import { temporaryFolder } from './temporary-repository.ts';

/** Four processes start on a machine that may be busy with other tests. */
const STARTED = { timeoutMs: 40_000, intervalMs: 50 };
const TEST_TIMEOUT_MS = 60_000;

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function startDemo(redisUrl: string, args: readonly string[]): ChildProcess & AsyncDisposable {
  const demo = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, REDIS_URL: redisUrl, INIT_CWD: undefined, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return Object.assign(demo, {
    [Symbol.asyncDispose]: async () => {
      if (demo.exitCode === null && demo.signalCode === null && demo.kill('SIGKILL'))
        await once(demo, 'exit');
    },
  });
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function ended(demo: ChildProcess): Promise<Ended> {
  const { stdout: out, stderr: err } = demo;
  if (out === null || err === null) throw new Error('the demo was started without pipes');
  const [stdout, stderr, [code]] = await Promise.all([text(out), text(err), once(demo, 'close')]);
  return { code: code as number | null, stdout, stderr };
}

/** Names of the connections that demos have open, those of their workers included. */
async function connections(ioredis: Redis): Promise<string[]> {
  const list = (await ioredis.client('LIST')) as string;
  return [...list.matchAll(/ name=(millrace-demo-\S+)/g)].map(([, name]) => name ?? '');
}

test(
  'a small run with a killed leader: the promised object, and nothing left in Redis',
  async ({ redis, ioredis }) => {
    await using folder = await temporaryFolder();
    await generateRepository(folder.path, { changes: 600 });
    const args = [
      '--json',
      '--repo',
      folder.path,
      '--workers',
      '3',
      '--partitions',
      '8',
      '--kill',
      '1',
      '--rate',
      '300',
    ];
    await using demo = startDemo(redis.url, args);

    const { code, stdout, stderr } = await ended(demo);

    expect(stderr).toBe('');
    const lines = stdout.trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
      records: expect.toSatisfy((records: number) => records >= 600),
      partitions: 8,
      workers: 3,
      killed: 1,
      lost: 0,
      redelivered: expect.any(Number),
      outOfOrder: 0,
      staleCommitsRefused: expect.any(Number),
      resumeMs: { p50: expect.any(Number), max: expect.any(Number) },
      treeMatches: true,
      seconds: expect.any(Number),
    });
    expect(code).toBe(0);
    expect(await ioredis.keys('millrace-demo-*')).toEqual([]);
    await eventually(async () => expect(await connections(ioredis)).toEqual([]));
  },
  TEST_TIMEOUT_MS,
);

test(
  'workers do not outlive a demo that is killed',
  async () => {
    await using server = await startRedis();
    await using folder = await temporaryFolder();
    await generateRepository(folder.path, { changes: 600 });
    await using demo = startDemo(server.url, ['--repo', folder.path, '--workers', '3', '--rate', '1']);
    const { Redis: Client } = await import('ioredis');
    const ioredis = new Client(server.url);
    await using _ = { [Symbol.asyncDispose]: async () => void (await ioredis.quit()) };
    const workers = async (): Promise<Set<string>> =>
      new Set(
        (await connections(ioredis))
          .map((name) => name.split(':')[1] ?? '')
          .filter((name) => /^w\d/.test(name)),
      );
    await eventually(async () => expect(await workers()).toEqual(new Set(['w1', 'w2', 'w3'])), STARTED);

    demo.kill('SIGKILL');

    await eventually(async () => expect(await connections(ioredis)).toEqual([]));
  },
  TEST_TIMEOUT_MS,
);

test(
  'Ctrl-C ends the workers and deletes the data',
  async ({ redis, ioredis }) => {
    await using folder = await temporaryFolder();
    await generateRepository(folder.path, { changes: 600 });
    await using demo = startDemo(redis.url, ['--repo', folder.path, '--workers', '3', '--rate', '1']);
    const end = ended(demo);
    await eventually(async () => expect((await connections(ioredis)).join()).toContain(':w3:'), STARTED);

    demo.kill('SIGINT');

    const { code, stderr } = await end;
    expect(stderr).toBe('Interrupted. Every worker was ended.\n');
    expect(code).toBe(130);
    expect(await ioredis.keys('millrace-demo-*')).toEqual([]);
    expect(await connections(ioredis)).toEqual([]);
  },
  TEST_TIMEOUT_MS,
);

test('a folder without history says how to name one', async ({ redis }) => {
  await using folder = await temporaryFolder();
  await using demo = startDemo(redis.url, ['--json', '--repo', folder.path]);

  const { code, stdout, stderr } = await ended(demo);

  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(`No history to play: no git repository at ${folder.path}`);
  expect(stderr).toContain('pnpm demo --repo DIR');
});

test('options that cannot work are refused before anything is started', async ({ redis }) => {
  await using demo = startDemo(redis.url, ['--workers', '3', '--kill', '2']);

  const { code, stderr } = await ended(demo);

  expect(code).toBe(2);
  expect(stderr).toMatch(/^--workers 3 --kill 2: .*\nSee: pnpm demo --help\n$/);
});
