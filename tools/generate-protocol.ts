/**
 * Writes the reference part of docs/protocol.md: keys, scripts and times, from their sources. `--check` fails when the
 * page is out of date. Part of `pnpm check`.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeys } from '../packages/redis/src/keys.ts';
import {
  memberComments,
  readLuaHeader,
  readTimes,
  renderKeys,
  renderScripts,
  renderTimes,
  replaceSection,
  type DescribedKey,
} from './describe-protocol.ts';

const root = join(import.meta.dirname, '..');
const target = join(root, 'docs', 'protocol.md');
const scripts = join(root, 'packages', 'redis', 'scripts');
const keySource = readFileSync(join(root, 'packages', 'redis', 'src', 'keys.ts'), 'utf8');
const timeSource = readFileSync(
  join(root, 'packages', 'client', 'src', 'consumer', 'leading', 'leader-settings.ts'),
  'utf8',
);

/** The names of the example. */
const [topic, partition, group, member] = ['orders', 3, 'billing', 'worker-1'] as const;
const keys = createKeys();
const { prefix, topics, groups, producers } = keys;

/** A key that takes an argument is a function in `keys`: `argument` is what it is called with here. */
function describeKeys(
  interfaceName: string,
  layout: Readonly<Record<string, string | ((argument: string) => string)>>,
  argument: string,
): DescribedKey[] {
  return [...memberComments(keySource, interfaceName)].map(([name, description]) => {
    const key = layout[name];
    if (key === undefined) throw new Error(`createKeys() makes no "${name}"`);
    return { key: typeof key === 'string' ? key : key(argument), description };
  });
}

const sections: Readonly<Record<string, string>> = {
  'catalogue keys': renderKeys(
    describeKeys('Keys', { prefix, topics, groups, producers }, '').filter(({ key }) => key !== prefix),
  ),
  'partition keys': renderKeys(describeKeys('PartitionKeys', { ...keys.partition(topic, partition) }, group)),
  'group keys': renderKeys(describeKeys('GroupKeys', { ...keys.group(group) }, member)),
  times: renderTimes(readTimes(timeSource)),
  scripts: renderScripts(
    readdirSync(scripts)
      .filter((file) => file.endsWith('.lua'))
      .sort()
      .map((file) => readLuaHeader(file.replace(/\.lua$/, ''), readFileSync(join(scripts, file), 'utf8'))),
  ),
};

const before = readFileSync(target, 'utf8');
let page = before;
for (const [name, content] of Object.entries(sections)) page = replaceSection(page, name, content);

if (!process.argv.includes('--check')) writeFileSync(target, page);
else if (page !== before) {
  console.error('docs/protocol.md is out of date: run `pnpm generate`');
  process.exitCode = 1;
}
