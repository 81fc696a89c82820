/**
 * The rules that hold the design up (import direction, purity of core, no sleeps, no lost promises) are shown to catch
 * what they are for: a rule with a typing error in its pattern is as silent as one that is obeyed.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  readonly filename: string;
}

const deepImport = /A package is its src\/index\.ts/;
const pathImport = /Import the package by its name/;
const onlyTests = /Only tests and private apps/;
const coreImports = /core imports nothing/;
const noSleeps = /No sleeps in tests/;

/** `[file, source, what the report must say]`; without the last, the source must pass. */
const cases: readonly (readonly [file: string, source: string, says?: RegExp])[] = [
  // Purity of core.
  ['packages/core/src/a-node.ts', `import { hostname } from 'node:os';\nexport { hostname };`, coreImports],
  [
    'packages/core/src/a-type.ts',
    `import type { Redis } from 'ioredis';\nexport type { Redis };`,
    coreImports,
  ],
  ['packages/core/src/a-sibling.ts', `import { b } from '../../redis/src/b.ts';\nexport { b };`, coreImports],
  ['packages/core/src/a-date.ts', 'export const at = (): number => Date.now();', /Time is an argument/],
  ['packages/core/src/a-new-date.ts', 'export const at = (): Date => new Date();', /Time is an argument/],
  [
    'packages/core/src/a-global.ts',
    'export const at = (): number => globalThis.performance.now();',
    /Time is/,
  ],
  ['packages/core/src/a-timer.ts', 'export const at = (f: () => void) => setTimeout(f, 1);', /no timers/],
  ['packages/core/src/a-random.ts', 'export const pick = (): number => Math.random();', /a seed must replay/],
  ['packages/core/src/a-env.ts', `export const home = process.env['HOME'];`, /does not know where it runs/],
  ['packages/core/src/ok-relative.ts', `export { one } from './ok-target.ts';`],
  ['packages/core/src/ok-target.ts', 'export const one = Math.max(1, 0);'],
  [
    'packages/core/src/ok.test.ts',
    `import fc from 'fast-check';\nimport { expect, test } from 'vitest';\ntest('a', () => expect(fc).toBe(1));`,
  ],
  [
    'packages/core/src/bad.test.ts',
    `import { connect } from 'millrace';\nexport { connect };`,
    /belongs to another package/,
  ],

  // Import direction.
  [
    'packages/redis/src/b-client.ts',
    `import { connect } from 'millrace';\nexport { connect };`,
    /core <- redis/,
  ],
  ['packages/redis/src/b-testkit.ts', `export { startRedis } from '@millrace/testkit';`, /core <- redis/],
  ['packages/redis/src/b-deep.ts', `export { a } from '@millrace/core/src/a.ts';`, deepImport],
  ['packages/redis/src/ok-core.ts', `export { assign } from '@millrace/core';`],
  ['packages/client/src/c-testkit.ts', `export { startRedis } from '@millrace/testkit';`, onlyTests],
  ['packages/client/src/c-dynamic.ts', `export const load = () => import('@millrace/testkit');`, onlyTests],
  ['packages/client/src/c-deep.ts', `export { keys } from '@millrace/redis/src/keys.ts';`, deepImport],
  ['packages/client/src/c-path.ts', `export { keys } from '../../redis/src/keys.ts';`, pathImport],
  [
    'packages/client/src/ok-siblings.ts',
    `export { a } from '@millrace/core';\nexport { b } from '@millrace/redis';`,
  ],
  ['packages/client/test/ok-testkit.ts', `export { test } from '@millrace/testkit/vitest';`],
  ['packages/client/test/c-path.ts', `export { keys } from '../../redis/src/keys.ts';`, pathImport],
  ['packages/client/test/ok-own-source.ts', `export { ok } from '../src/ok-own.ts';`],
  ['packages/client/src/ok-own.ts', 'export const ok = 1;'],
  [
    'apps/demo/src/ok-demo.ts',
    `export { connect } from 'millrace';\nexport { provideRedis } from '@millrace/testkit';`,
  ],
  ['apps/demo/src/d-redis.ts', `export { keys } from '@millrace/redis';`, /Apps use what users use/],
  ['apps/cli/src/d-testkit.ts', `export { provideRedis } from '@millrace/testkit';`, onlyTests],
  ['apps/cli/src/d-redis.ts', `export { keys } from '@millrace/redis';`, /Apps use what users use/],

  // Cycles, also through a third file.
  [
    'packages/client/src/e-one.ts',
    `import { two } from './e-two.ts';\nexport const one = (): number => two();`,
    /cycle/,
  ],
  [
    'packages/client/src/e-two.ts',
    `import { three } from './e-three.ts';\nexport const two = (): number => three();`,
    /cycle/,
  ],
  [
    'packages/client/src/e-three.ts',
    `import { one } from './e-one.ts';\nexport const three = (): number => one();`,
    /cycle/,
  ],

  // No sleeps.
  [
    'packages/client/test/f-timers.test.ts',
    `import { setTimeout } from 'node:timers/promises';\nexport { setTimeout };`,
    noSleeps,
  ],
  [
    'packages/client/src/f-global.test.ts',
    'export const nap = () => new Promise((r) => setTimeout(r, 9));',
    noSleeps,
  ],
  ['test/e2e/f-promises.ts', `export { setTimeout } from 'timers/promises';`, noSleeps],
  [
    'packages/client/src/f-same.test.ts',
    `import { expect, test } from 'vitest';\ntest('a', () => expect(1).toBe(1));\ntest('a', () => expect(1).toBe(1));`,
    /title/,
  ],
  [
    'packages/client/src/f-empty.test.ts',
    `import { test } from 'vitest';\ntest('a', () => {});`,
    /no assertions/,
  ],
  [
    'packages/client/src/f-only.test.ts',
    `import { expect, test } from 'vitest';\ntest.only('a', () => expect(1).toBe(1));`,
    /focused/i,
  ],

  // Promises and types.
  [
    'packages/client/src/g-float.ts',
    'const a = async (): Promise<void> => {};\nexport const b = (): void => {\n  a();\n};',
    /Promises must be awaited/,
  ],
  [
    'packages/client/src/g-misused.ts',
    'const a = async (): Promise<boolean> => true;\nexport const b = (): number => (a() ? 1 : 2);',
    /Promise/,
  ],
  ['packages/client/src/g-await.ts', 'export const b = async (): Promise<number> => await 1;', /await/],
  [
    'packages/client/src/g-switch.ts',
    `export const b = (a: 'x' | 'y'): void => {\n  switch (a) {\n    case 'x':\n      return;\n  }\n};`,
    /exhaustive/,
  ],
  ['packages/client/src/g-any.ts', 'export const a = (b: any): void => void b;', /any/],
  [
    'packages/client/src/g-type-import.ts',
    `import { Ok } from './ok-type.ts';\nexport const a = (b: Ok): Ok => b;`,
    /import type/,
  ],
  ['packages/client/src/ok-type.ts', 'export interface Ok {\n  readonly ok: true;\n}'],
  ['packages/client/src/g-console.ts', `console.log('a');\nexport {};`, /console/],
  ['apps/demo/src/ok-console.ts', `console.log('a');`],
  ['packages/client/src/gCamel.ts', 'export const a = 1;', /kebab/],
  ['packages/client/src/g-long.ts', 'export const a = [\n' + '  1,\n'.repeat(400) + '];', /too many lines/],
];

let folder: string;
const reported = new Map<string, string[]>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-lint-'));
  const root = fileURLToPath(new URL('..', import.meta.url));
  for (const name of ['.oxlintrc.json', 'tsconfig.json'])
    await copyFile(join(root, name), join(folder, name));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, source] of cases) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), `${source}\n`);
  }
  const report = await new Promise<string>((resolve) => {
    // It exits with 1, because there is something to report.
    execFile(
      join(root, 'node_modules/.bin/oxlint'),
      ['--format', 'json', 'packages', 'apps', 'test'],
      { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout) => resolve(stdout),
    );
  });
  const { diagnostics } = JSON.parse(report) as { diagnostics: readonly Diagnostic[] };
  for (const { filename, code, message, help = '' } of diagnostics) {
    const lines = reported.get(filename) ?? [];
    lines.push(`${code}: ${message} ${help}`);
    reported.set(filename, lines);
  }
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const refused = cases.flatMap(([file, , says]) => (says === undefined ? [] : [[file, says] as const]));
const allowed = cases.flatMap(([file, , says]) => (says === undefined ? [file] : []));

test.for(refused)('%s is refused: %s', ([file, says]) => {
  expect((reported.get(file) ?? []).join('\n')).toMatch(says);
});

test.for(allowed)('%s is allowed', (file) => {
  expect(reported.get(file)).toBeUndefined();
});
