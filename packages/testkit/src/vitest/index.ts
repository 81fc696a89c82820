/**
 * `test` for vitest with a real Redis. An entry of its own, because loading vitest outside of a test run fails, and a
 * demo may want a Redis too. Needs `globalSetup: '@millrace/testkit/vitest-setup'`.
 */
import { Redis } from 'ioredis';
import { test as base, inject } from 'vitest';
import { deleteKeys, findLeaks } from '../leaks.ts';
import { liveProcesses } from '../process/start-process.ts';
// oxlint-disable-next-line import/no-empty-named-blocks, unicorn/require-module-specifiers -- declares `redisUrl`
import type {} from './global-setup.ts';
import { duplicateTestNames, fullTestName, testPrefix } from './test-prefix.ts';

export interface TestRedis {
  /** URL of the Redis that all test files share. */
  readonly url: string;
  /** This test's own: start every key and every connection name with it. */
  readonly prefix: string;
  /** Deletes the test's keys. For tests that write keys by hand; others delete through the product, which is a test too. */
  clear(): Promise<void>;
}

/**
 * Fails a test that leaves a process of `startProcess` running or, if it uses `redis`, keys or connections under its
 * prefix. Quiet when the test has failed anyway: its clean-up did not run. Checks come last, after `afterEach`,
 * `onTestFinished` and all other fixtures. Refuses two tests of one name in a file. Not for `test.concurrent` with
 * `startProcess`: a process does not know which test it belongs to.
 */
export const test = base
  // Vitest runs `onTestFinished` callbacks last and in reverse order: what is registered first has the last word.
  .extend('processLeaks', { auto: true }, ({ task, onTestFinished }) => {
    const name = fullTestName(task);
    if (duplicateTestNames(task.file).includes(name)) {
      throw new Error(`two tests of this file are named "${name}": they would share a prefix`);
    }
    onTestFinished(async () => {
      const left = liveProcesses();
      await Promise.all(left.map((process) => process.stop()));
      if (left.length === 0 || task.result?.state === 'fail') return;
      const names = left.map(({ pid, module }) => `${pid} (${module})`).join(', ');
      throw new Error(`the test left processes running: ${names}`);
    });
    return undefined;
  })
  .extend('redis', async ({ task, onTestFinished }): Promise<TestRedis> => {
    const scope = { url: inject('redisUrl'), prefix: testPrefix(task.file.name, fullTestName(task)) };
    const clear = (): Promise<void> => deleteKeys(scope);
    await clear(); // an earlier run that failed keeps its keys, to be looked at; this run must not see them
    onTestFinished(async () => {
      if (task.result?.state === 'fail') return;
      const leaks = await findLeaks(scope);
      if (leaks.length === 0) return;
      await clear();
      throw new Error(`the test left behind: ${leaks.join('; ')}`);
    });
    return { ...scope, clear };
  })
  /** A plain connection to look at keys with, closed by the fixture. */
  .extend('ioredis', async ({ redis }, { onCleanup }) => {
    const connection = new Redis(redis.url, { connectionName: `${redis.prefix}:test` });
    onCleanup(async () => {
      await connection.quit();
    });
    return connection;
  });
