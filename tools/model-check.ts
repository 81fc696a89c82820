/**
 * `pnpm model [--json]`: searches every state of the model of ownership (docs/model), and of its mutants, which must be
 * refuted. Exit code 1 on any surprise. With `--json` the last line is one object: what a machine counts.
 */
import { join } from 'node:path';
import { instances, type Instance } from './model-instances.ts';
import { checkInstance, ensureSpin } from './model-spin.ts';
import { nameOf } from './model-verdict.ts';

interface Row {
  readonly name: string;
  readonly kind: Instance['kind'];
  readonly expected: string;
  readonly found: string;
  readonly states: number;
  readonly seconds: number;
  readonly isExpected: boolean;
}

const model = join(import.meta.dirname, '..', 'docs', 'model', 'ownership.pml');
const PARALLEL = 2;

await ensureSpin();
const startedMs = performance.now();
const rows = new Map<Instance, Row>();
const waiting = [...instances];
await Promise.all(
  Array.from({ length: PARALLEL }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      rows.set(next, await check(next));
  }),
);
const results = instances.flatMap((instance) => rows.get(instance) ?? []);
print(results);
const surprises = results.filter(({ isExpected }) => !isExpected);
for (const { name, expected, found } of surprises)
  console.error(`${name}: expected ${expected}, found ${found}`);
const seconds = Math.round((performance.now() - startedMs) / 1_000);
console.log(
  process.argv.includes('--json')
    ? JSON.stringify({ checked: results.length, surprises: surprises.length, seconds, results })
    : `${results.length} checked, ${surprises.length} surprises, ${seconds} s`,
);
process.exitCode = surprises.length > 0 || results.length !== instances.length ? 1 : 0;

async function check({ name, kind, expected, defines }: Instance): Promise<Row> {
  const { verdict, seconds } = await checkInstance(model, defines);
  const found = nameOf(verdict);
  const states = verdict.status === 'inconclusive' ? 0 : verdict.states;
  return {
    name,
    kind,
    expected,
    found,
    states,
    seconds: Number(seconds.toFixed(1)),
    isExpected: found === expected,
  };
}

function print(all: readonly Row[]): void {
  console.log('| what | kind | verdict | states | seconds |');
  console.log('| --- | --- | --- | ---: | ---: |');
  for (const { name, kind, found, states, seconds } of all)
    console.log(`| ${name} | ${kind} | ${found} | ${states} | ${seconds} |`);
}
