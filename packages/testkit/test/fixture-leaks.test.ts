/** The checks of the fixture are tested on tests that leak: a run of vitest inside this one, on `leaking/`. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { isRunning } from './is-running.ts';

interface JsonReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const results = new Map<string, { status: string; message: string }>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-leaking-'));
  const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
  const report = join(folder, 'report.json');
  const root = fileURLToPath(new URL('./leaking', import.meta.url));
  await new Promise<void>((resolve) => {
    // It exits with 1, because tests fail, which is the point; the report says which.
    execFile(
      process.execPath,
      [vitest, 'run', '--root', root, '--reporter=json', `--outputFile=${report}`],
      { env: { ...process.env, REDIS_URL: inject('redisUrl'), LEAKING_PID_FILE: join(folder, 'pid') } },
      () => resolve(),
    );
  });
  const { testResults } = JSON.parse(await readFile(report, 'utf8')) as JsonReport;
  for (const { assertionResults } of testResults) {
    for (const { title, status, failureMessages } of assertionResults) {
      results.set(title, { status, message: failureMessages.join('\n') });
    }
  }
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const passing = [
  'uses redis and cleans up',
  'cleans up in onTestFinished',
  'clears keys that it wrote by hand',
  'closes its connection a little late',
];

const failing: readonly [title: string, message: RegExp][] = [
  ['leaves keys', /the test left behind: 7 keys left: (t-[0-9a-f]{12}:\S+, ){4}t-\S+ and 2 more/],
  ['leaves a connection', /the test left behind: 1 connection left: t-[0-9a-f]{12}:reader/],
  ['leaves a process', /the test left processes running: \d+ \(.*sleeper\.ts\)/],
  ['has a name that another test has', /two tests of this file are named "has a name that another test has"/],
];

describe('a run of vitest on tests that leak', () => {
  test.for(passing)('passes the test that %s', (title) => {
    expect(results.get(title)).toEqual({ status: 'passed', message: '' });
  });

  test.for(failing)('fails the test that %s', ([title, message]) => {
    expect(results.get(title)?.status).toBe('failed');
    expect(results.get(title)?.message).toMatch(message);
  });

  test('says nothing of leaks when the test itself fails', () => {
    const { status, message } = results.get('fails by itself and leaks') ?? {};
    expect(status).toBe('failed');
    expect(message).toMatch(/its own reason/);
    expect(message).not.toMatch(/left/);
  });

  test('kills the process that was left', async () => {
    expect(isRunning(Number(await readFile(join(folder, 'pid'), 'utf8')))).toBe(false);
  });

  test('keeps the keys of a test that failed by itself, for a look, and no others', async () => {
    const redis = new Redis(inject('redisUrl'));
    const keys = (await redis.keys('t-*:leaking:*')).map((key) => key.replace(/^t-[0-9a-f]{12}/, ''));
    await redis.unlink(await redis.keys('t-*:leaking:*'));
    await redis.quit();
    expect(keys).toEqual([':leaking:kept']);
  });
});
