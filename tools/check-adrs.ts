/** `node tools/check-adrs.ts`: the records in docs/adr have their form, and the index lists them. Part of `pnpm check`. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findAdrProblems } from './find-adr-problems.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'adr');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const records = new Map(
  readdirSync(folder)
    .filter((name) => name !== 'README.md')
    .map((name) => [name, read(name)]),
);
const problems = findAdrProblems(records, read('README.md'));
for (const problem of problems) console.error(`docs/adr/${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;
