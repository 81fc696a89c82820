/** The examples of the README that stand alone are run as they stand there. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { startProcess } from '@millrace/testkit';
import { test } from '@millrace/testkit/vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);

/** What the example wrote; it must end by itself. */
async function run(example: string | undefined): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-example-'));
  try {
    // A folder that has the packages installed, as a user has them.
    const installed = new URL('../../../test/node_modules', import.meta.url);
    await symlink(fileURLToPath(installed), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'example.ts'), example ?? '');
    await using child = await startProcess({ module: join(folder, 'example.ts') });
    const exit = await child.exited;
    expect({ ...exit, output: child.output() }).toMatchObject({ code: 0, signal: null });
    return child.output().trim().split('\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('the example of a topology kills a primary and finds its heir', { timeout: 60_000 }, async () => {
  expect(await run(examples.find((code) => code.includes('startSentinel')))).toEqual([
    'primary replica value',
  ]);
});

test('the example of a fault drops a reply and cuts a replica off', { timeout: 60_000 }, async () => {
  expect(await run(examples.find((code) => code.includes('dropReplies')))).toEqual(['unknown 1 1']);
});
