/**
 * Embeds `scripts/*.lua` into `src/generated/lua.ts`: no file is read at run time, so bundlers and single-file
 * builds work. A script whose header and body disagree is refused.
 *
 * `node embed-lua.ts` writes the file, `--check` fails when it is out of date.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readLuaSource } from './lua-source.ts';

const source = import.meta.dirname;
const target = join(source, '..', 'src', 'generated', 'lua.ts');

const scripts = readdirSync(source)
  .filter((file) => file.endsWith('.lua'))
  .toSorted()
  .map((file) => {
    const { name, sha1, text, keyCount } = readLuaSource(file, readFileSync(join(source, file), 'utf8'));
    return [
      `export const ${name.replaceAll('-', '_').toUpperCase()}: LuaScript = {`,
      `  name: '${name}',`,
      `  sha1: '${sha1}',`,
      `  keyCount: ${keyCount},`,
      `  isReadOnly: ${text.startsWith('#!lua flags=no-writes')},`,
      `  text: ${JSON.stringify(text)},`,
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
