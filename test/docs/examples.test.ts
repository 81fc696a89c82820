/** The examples of the pages that users read first: each is run as it stands there, against a Redis of its own. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import {
  eventually,
  startProcess,
  startRedis,
  type ProcessExit,
  type StartedProcess,
} from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

const root = new URL('../../', import.meta.url);

function read(page: string): string {
  return readFileSync(new URL(page, root), 'utf8');
}

function examplesOf(page: string): string[] {
  return [...read(page).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
}

/** A temporary folder with these files, beside a `node_modules` that holds the packages. */
async function inFolder<T>(
  files: ReadonlyMap<string, string>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-example-'));
  try {
    await symlink(fileURLToPath(new URL('test/node_modules', root)), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    for (const [name, text] of files) await writeFile(join(folder, name), text);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts an example as a file, as users have files: with `--eval` a process has options that its threads refuse. */
async function inModule<T>(code: string, use: (example: StartedProcess) => Promise<T>): Promise<T> {
  return inFolder(new Map([['example.ts', code]]), async (folder) => {
    await using redis = await startRedis();
    const module = join(folder, 'example.ts');
    await using example = await startProcess({ module, env: { REDIS_URL: redis.url } });
    return await use(example); // before the process and its Redis are ended
  });
}

const SUCCESS: ProcessExit = { code: 0, signal: null };
const PATIENCE = { timeout: 60_000 };

test(
  'the example of the README prints both records in order, and leaves in order on SIGTERM',
  PATIENCE,
  async () => {
    const [code = ''] = examplesOf('README.md');
    const output = await inModule(code, async (example) => {
      let hasExited = false;
      void example.exited.then(() => (hasExited = true));
      await eventually(() => hasExited || example.output().includes('"id":2'), { timeoutMs: 50_000 });
      // As an orchestrator ends it. One that ended by itself has failed, and its output says why.
      if (!hasExited) await example.signal('SIGTERM');
      expect({ ...(await example.exited), output: example.output() }).toMatchObject(SUCCESS);
      return example.output();
    });
    expect(output.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^customer-7 \{"id":1,"total":30\} at offset 0 \{ partition: \d, epoch: \d{13} \}$/,
      ),
      expect.stringMatching(
        /^customer-7 \{"id":2,"total":12\} at offset 1 \{ partition: \d, epoch: \d{13} \}$/,
      ),
    ]);
  },
);

test.for([
  ['packages/client/README.md', ['balance 77']],
  ['packages/core/README.md', ['cleo gets 2', 'partitions that change hands: 2']],
] as const)('the example of %s ends and says what it should', PATIENCE, async ([page, lines]) => {
  const [code = ''] = examplesOf(page);
  await inModule(code, async (example) => {
    const exit = await example.exited;
    expect({ ...exit, lines: example.output().trim().split('\n') }).toEqual({ ...SUCCESS, lines });
  });
});

test('the examples are well typed, as strictly as the code is', PATIENCE, async () => {
  const pages = ['README.md', 'packages/client/README.md', 'packages/core/README.md'];
  const examples = pages.map((page, index) => [`example-${index}.ts`, examplesOf(page).join('\n')] as const);
  const settings = {
    extends: fileURLToPath(new URL('tsconfig.json', root)),
    compilerOptions: { typeRoots: [fileURLToPath(new URL('node_modules/@types', root))] },
    // From source, the packages come with the declarations that they add.
    include: ['*.ts', fileURLToPath(new URL('packages/redis/src/group/*.d.ts', root))],
  };
  const files = new Map([...examples, ['tsconfig.json', JSON.stringify(settings)]]);
  const output = await inFolder(files, async (folder) => {
    const compiler = fileURLToPath(new URL('node_modules/.bin/tsc', root));
    return new Promise<string>((resolve, reject) => {
      execFile(compiler, ['--noEmit', '-p', folder], { cwd: fileURLToPath(root) }, (error, stdout) => {
        // Without a word it did not fail because of a type.
        if (error !== null && stdout === '') reject(new Error('the compiler did not run', { cause: error }));
        else resolve(stdout);
      });
    });
  });
  // What is wrong in the packages themselves is told by `pnpm check`.
  const problems = output
    .split('\n')
    .filter((line) => line.includes('error TS') && !line.startsWith('packages/'));
  expect(problems).toEqual([]);
});

test('the README has one example of at most 20 lines and stays under 150 lines itself', () => {
  const examples = examplesOf('README.md');
  expect(examples).toHaveLength(1);
  expect(examples[0]?.trim().split('\n').length).toBeLessThanOrEqual(20);
  expect(read('README.md').split('\n').length).toBeLessThan(150);
});
