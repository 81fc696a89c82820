import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parseResult } from './report/result.ts';

const run = promisify(execFile);
const main = join(import.meta.dirname, 'main.ts');

// Whether a row reaches its target is left to the bench: on a machine that tests share with others it may not.
test('a run gives every comparison of its rows, with its rounds', { timeout: 60_000 }, async () => {
  const tiny = ['--only', 'send-batch', '--rounds', '1', '--scale', '0.001', '--json', '--report-only'];
  const { stdout } = await run(process.execPath, [main, ...tiny]);
  const result = parseResult(stdout, 'stdout');
  expect(result).toMatchObject({ rounds: 1, scale: 0.001, machine: { cores: expect.any(Number) } });
  expect(result.rows.map(({ id, verdict }) => [id, verdict === 'pass' || verdict === 'miss'])).toEqual([
    ['send-batch/ioredis', true],
    ['send-batch/bullmq', true],
  ]);
  for (const { ratio, medians, rounds, against } of result.rows) {
    expect(Object.keys(medians)).toEqual(['millrace', against]);
    expect(Object.values(rounds).map((values) => values.length)).toEqual([1, 1]);
    expect(ratio).toBeCloseTo((medians['millrace'] ?? 0) / (medians[against] ?? 0));
  }
});

test('what it does not know is refused, with its usage', async () => {
  await expect(run(process.execPath, [main, '--only', 'nothing'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no row "nothing"'),
  });
});

test.each([
  [
    'nothing to compare',
    ['--only', 'send', '--peers', 'bullmq', '--rounds', '1', '--scale', '0.001'],
    'nothing was measured',
  ],
  ['a file that is not there', ['--write', 'not-there.json'], 'not-there.json'],
  ['a file of another kind', ['--write', main], 'is no result of `pnpm bench --json`'],
])('%s is told, and is no pass', { timeout: 60_000 }, async (_, args, told) => {
  await expect(run(process.execPath, [main, ...args])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining(told) as string,
  });
});
