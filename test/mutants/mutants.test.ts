/** Every mutant fits the product as it is, and a process that is started with one runs it, in all its threads. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ANOMALY_NAMES } from '@millrace/testkit';
import { applyMutant, EMBEDDED } from './apply-mutant.ts';
import { MUTANTS } from './mutants.ts';

const root = new URL('../../', import.meta.url);
const register = new URL('./register.ts', import.meta.url).href;
const reporter = fileURLToPath(new URL('./processes/report-fence.ts', import.meta.url));

const sourceOf = (file: string): string => readFileSync(new URL(file, root), 'utf8');
const loadedFile = (file: string): string => (file.endsWith('.lua') ? EMBEDDED : file);

test.each(MUTANTS)('$name fits its sources, and they can still be run', (mutant) => {
  const files = new Set(mutant.edits.map(({ file }) => loadedFile(file)));
  for (const file of files) {
    const source = sourceOf(file);
    const mutated = applyMutant(mutant, file, source);
    expect(mutated).not.toBe(source);
    expect(() => stripTypeScriptTypes(mutated!)).not.toThrow();
  }
  expect(mutant.expect.length).toBeGreaterThan(0);
  expect(ANOMALY_NAMES).toEqual(expect.arrayContaining([...mutant.expect]));
});

test('eight mutants of eight names', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(8);
});

test('a script that was edited has the digest of its new text', () => {
  const mutant = MUTANTS.find(({ name }) => name === 'no-epoch-check')!;
  const mutated = applyMutant(mutant, EMBEDDED, sourceOf(EMBEDDED))!;
  const scripts = [...mutated.matchAll(/sha1: '([0-9a-f]{40})',[^]*?\n\s+text: ("(?:[^"\\]|\\.)*")/g)];
  expect(scripts.length).toBeGreaterThan(20);
  for (const [, sha1, literal] of scripts) {
    expect(
      createHash('sha1')
        .update(JSON.parse(literal!) as string)
        .digest('hex'),
    ).toBe(sha1);
  }
});

test('an edit that does not fit is refused', () => {
  const mutant = {
    name: 'none',
    edits: [{ file: 'packages/redis/scripts/commit-offset.lua', find: 'no such line', replace: '' }],
    expect: [],
  };
  expect(() => applyMutant(mutant, EMBEDDED, sourceOf(EMBEDDED))).toThrow(
    'mutant "none": found 0 times in packages/redis/scripts/commit-offset.lua, not once: no such line',
  );
  const elsewhere = { ...mutant, edits: [{ file: 'scripts/no-such.lua', find: '', replace: '' }] };
  expect(() => applyMutant(elsewhere, EMBEDDED, sourceOf(EMBEDDED))).toThrow('embeds no scripts/no-such.lua');
});

function reportOf(mutant: string | undefined): unknown {
  const flags = mutant === undefined ? [] : ['--import', register];
  const env = { ...process.env, MILLRACE_MUTANT: mutant };
  const output = execFileSync(process.execPath, [...flags, reporter], {
    env,
    encoding: 'utf8',
    stdio: 'pipe',
  });
  return JSON.parse(output);
}

test('a process and its threads run the mutant, and only when it is asked for', () => {
  expect(reportOf(undefined)).toEqual({ main: true, thread: true });
  expect(reportOf('no-epoch-check')).toEqual({ main: false, thread: false });
  expect(reportOf('commit-before-process')).toEqual({ main: true, thread: true });
});

test('a mutant that does not exist is refused', () => {
  expect(() => reportOf('no-such')).toThrow('MILLRACE_MUTANT is "no-such": it names one of no-epoch-check, ');
});
