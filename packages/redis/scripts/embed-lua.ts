/**
 * Embeds `scripts/*.lua` into `src/generated/lua.ts`: no file is read at run time, so bundlers and single-file
 * builds work. The header of each script is its contract, and this program holds the body to it: every `KEYS[i]` and
 * `ARGV[i]` that the header declares must be bound, in order, and none may appear that it does not declare.
 *
 * `node embed-lua.ts` writes the file, `--check` fails when it is out of date.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = import.meta.dirname;
const source = root;
const target = join(root, '..', 'src', 'generated', 'lua.ts');

/** The text that is sent: comments and blank lines stay in the repository, the script cache does not need them. */
function strip(text: string): string {
  return text
    .split('\n')
    .filter((line, index) => index === 0 || !/^\s*(--.*)?$/.test(line))
    .join('\n');
}

function declared(text: string, name: 'KEYS' | 'ARGV'): number {
  const indices = [...text.matchAll(new RegExp(`^-- +${name}\\[(\\d+)\\]`, 'gm'))].map((match) =>
    Number(match[1]),
  );
  return indices.length;
}

function verify(file: string, text: string): number {
  if (!text.startsWith('#!lua')) throw new Error(`${file}: the first line must be a #!lua shebang`);
  for (const section of ['Purpose', 'Returns', 'Keeps']) {
    if (!new RegExp(`^-- ${section}:`, 'm').test(text))
      throw new Error(`${file}: the header lacks "-- ${section}:"`);
  }
  const body = strip(text);
  for (const name of ['KEYS', 'ARGV'] as const) {
    const count = declared(text, name);
    const used = new Set(
      [...body.matchAll(new RegExp(`${name}\\[(\\d+)\\]`, 'g'))].map((match) => Number(match[1])),
    );
    const variadic = new RegExp(`^-- +${name}\\[(\\d+)\\.\\.\\.\\]`, 'm').exec(text);
    for (let index = 1; index <= count; index++) {
      if (!used.has(index)) throw new Error(`${file}: ${name}[${index}] is declared and not used`);
    }
    for (const index of used) {
      if (index > count && !variadic) throw new Error(`${file}: ${name}[${index}] is used and not declared`);
    }
    if (name === 'KEYS' && variadic) return -1;
  }
  return declared(text, 'KEYS');
}

function constantName(file: string): string {
  return file
    .replace(/\.lua$/, '')
    .replaceAll('-', '_')
    .toUpperCase();
}

const files = readdirSync(source)
  .filter((file) => file.endsWith('.lua'))
  .sort();
const scripts = files.map((file) => {
  const text = readFileSync(join(source, file), 'utf8');
  const keyCount = verify(file, text);
  const sent = strip(text);
  const sha1 = createHash('sha1').update(sent).digest('hex');
  const name = file.replace(/\.lua$/, '');
  return [
    `export const ${constantName(file)}: LuaScript = {`,
    `  name: '${name}',`,
    `  sha1: '${sha1}',`,
    `  keyCount: ${keyCount},`,
    `  text: ${JSON.stringify(sent)},`,
    `};`,
  ].join('\n');
});
const parts = [
  '// Written by scripts/embed-lua.ts from scripts/*.lua; run `pnpm generate` after a change there.',
  `import type { LuaScript } from '../run-script.ts';`,
  ...scripts,
];
const output = `${parts.join('\n\n')}\n`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== output) {
    console.error('packages/redis/src/generated/lua.ts is out of date: run `pnpm generate`');
    process.exit(1);
  }
} else {
  writeFileSync(target, output);
}
