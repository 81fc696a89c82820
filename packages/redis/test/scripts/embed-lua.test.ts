/** The program itself, on a copy of the scripts that is then damaged. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test as base } from 'vitest';

interface Copy {
  readonly generated: string;
  run(...args: readonly string[]): { readonly status: number | null; readonly output: string };
  edit(file: string, from: string, to: string): void;
}

const test = base.extend<{ copy: Copy }>({
  // oxlint-disable-next-line no-empty-pattern -- how vitest names a fixture that needs no other
  copy: async ({}, use) => {
    const root = mkdtempSync(join(tmpdir(), 'embed-lua-'));
    const original = join(import.meta.dirname, '..', '..');
    cpSync(join(original, 'scripts'), join(root, 'scripts'), { recursive: true });
    mkdirSync(join(root, 'src', 'generated'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    const generated = join(root, 'src', 'generated', 'lua.ts');
    cpSync(join(original, 'src', 'generated', 'lua.ts'), generated);
    await use({
      generated,
      run: (...args) => {
        const program = join(root, 'scripts', 'embed-lua.ts');
        const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
          encoding: 'utf8',
        });
        return { status, output: stdout + stderr };
      },
      edit: (file, from, to) => {
        const path = join(root, 'scripts', file);
        const text = readFileSync(path, 'utf8');
        expect(text).toContain(from);
        writeFileSync(path, text.replace(from, to));
      },
    });
    rmSync(root, { recursive: true });
  },
});

describe('embed-lua --check', () => {
  test('is content with what is committed', ({ copy }) => {
    expect(copy.run('--check')).toEqual({ status: 0, output: '' });
  });

  test('finds a script that was changed and not embedded, and writing puts it right', ({ copy }) => {
    copy.edit('release-partition.lua', "return { 'RELEASED' }", "return  { 'RELEASED' }");
    const { status, output } = copy.run('--check');
    expect(status).toBe(1);
    expect(output).toContain('lua.ts is out of date: run `pnpm generate`');
    expect(copy.run().status).toBe(0);
    expect(copy.run('--check').status).toBe(0);
    expect(readFileSync(copy.generated, 'utf8')).toContain("return  { 'RELEASED' }");
  });

  test('does not mind a comment: it is not sent', ({ copy }) => {
    copy.edit('release-partition.lua', 'local ownership', '-- A remark.\nlocal ownership');
    expect(copy.run('--check').status).toBe(0);
  });

  test('finds a header that lies, and nothing is written from it', ({ copy }) => {
    const before = readFileSync(copy.generated, 'utf8');
    copy.edit('commit-offset.lua', "| {'BEYOND_END', log end}", '');
    const { status, output } = copy.run();
    expect(status).not.toBe(0);
    expect(output).toContain('commit-offset.lua: BEYOND_END is answered and not declared under Returns');
    expect(readFileSync(copy.generated, 'utf8')).toBe(before);
  });
});
