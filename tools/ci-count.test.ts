/** `.ci/count-results.mjs` on made-up results: a count that hides a failure would make every other check worthless. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../.ci/count-results.mjs', import.meta.url));

const tasks = (...exitCodes: (number | undefined)[]) =>
  JSON.stringify({ tasks: exitCodes.map((exitCode, n) => ({ task: `step${n}`, execution: { exitCode } })) });

const report = (...files: { status: string; tests: string[] }[]) =>
  JSON.stringify({
    testResults: files.map(({ status, tests }, n) => ({
      name: `file${n}`,
      status,
      assertionResults: tests.map((result, m) => ({ fullName: `test${m}`, status: result })),
    })),
  });

const good: Readonly<Record<string, string>> = {
  'check.exit': '0\n',
  'turbo-runs/a.json': tasks(0, 0),
  'test.exit': '0\n',
  'vitest.json': report({ status: 'passed', tests: ['passed', 'passed', 'pending'] }),
  'demo.exit': '0\n',
  'demo.out': 'some line\n{"treeMatches":true,"lost":0,"outOfOrder":0}\n',
  'packages.exit': '0\n',
  'packages.out': 'some line\npacked packages: 100 of 100 records came through\n',
  'model.exit': '0\n',
  'model.out': 'some line\n{"checked":20,"surprises":0}\n',
};

const count = async (files: Readonly<Record<string, string | undefined>>) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-count-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      if (text === undefined) continue;
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return await new Promise<{ code: number | null; last: string; text: string }>((resolve) => {
      const child = execFile(process.execPath, [script, folder], (_error, stdout) => {
        resolve({ code: child.exitCode, last: stdout.trim().split('\n').at(-1) ?? '', text: stdout });
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

test('counts tests, check steps and the demo, and skipped tests as neither', async () => {
  const { code, last, text } = await count(good);
  expect({ code, last }).toEqual({ code: 0, last: '7 passed, 0 failed' });
  expect(text).toContain('1 tests skipped');
});

const bad: readonly (readonly [what: string, files: Record<string, string | undefined>, last: string])[] = [
  [
    'nothing at all',
    Object.fromEntries(Object.keys(good).map((name) => [name, undefined])),
    '0 passed, 5 failed',
  ],
  ['packages that do not install', { 'packages.exit': '1' }, '6 passed, 1 failed'],
  ['a model that surprises', { 'model.out': '{"checked":20,"surprises":1}' }, '6 passed, 1 failed'],
  ['a model that checks nothing', { 'model.out': '{"checked":0,"surprises":0}' }, '6 passed, 1 failed'],
  ['a model without a verdict', { 'model.out': 'spin is not there' }, '6 passed, 1 failed'],
  ['a model that fails', { 'model.exit': '1' }, '6 passed, 1 failed'],
  ['packages that lose records', { 'packages.out': 'packed packages: 99 of 100\n' }, '6 passed, 1 failed'],
  ['a failed step', { 'turbo-runs/a.json': tasks(0, 1), 'check.exit': '1' }, '6 passed, 1 failed'],
  ['a step without an end', { 'turbo-runs/a.json': tasks(0, undefined) }, '6 passed, 1 failed'],
  ['checks that never ran', { 'turbo-runs/a.json': undefined, 'check.exit': '1' }, '5 passed, 1 failed'],
  ['checks that fail beside their steps', { 'check.exit': '1' }, '7 passed, 1 failed'],
  [
    'a failed test',
    { 'vitest.json': report({ status: 'failed', tests: ['passed', 'failed'] }), 'test.exit': '1' },
    '6 passed, 1 failed',
  ],
  [
    'a file that cannot be loaded',
    {
      'vitest.json': report({ status: 'passed', tests: ['passed'] }, { status: 'failed', tests: [] }),
      'test.exit': '1',
    },
    '6 passed, 1 failed',
  ],
  ['no test', { 'vitest.json': report() }, '5 passed, 1 failed'],
  [
    'only skipped tests',
    { 'vitest.json': report({ status: 'passed', tests: ['pending'] }) },
    '5 passed, 1 failed',
  ],
  ['a cut report', { 'vitest.json': '{"testResults": [' }, '5 passed, 1 failed'],
  ['an error outside of tests', { 'test.exit': '1' }, '7 passed, 1 failed'],
  ['a demo that fails', { 'demo.exit': '1' }, '6 passed, 1 failed'],
  ['a demo that says nothing', { 'demo.out': '' }, '6 passed, 1 failed'],
  [
    'a demo that lost a record',
    { 'demo.out': '{"treeMatches":true,"lost":1,"outOfOrder":0}' },
    '6 passed, 1 failed',
  ],
  [
    'a demo whose tree differs',
    { 'demo.out': '{"treeMatches":false,"lost":0,"outOfOrder":0}' },
    '6 passed, 1 failed',
  ],
];

test.for(bad)('%s is a failure', async ([, files, last]) => {
  expect(await count({ ...good, ...files })).toMatchObject({ code: 1, last });
});
