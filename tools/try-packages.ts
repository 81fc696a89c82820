/**
 * `pnpm try-packages`: builds and packs the published packages, installs the archives into an empty project with npm,
 * and runs a producer and a consumer from there. What works from source can still be missing from an archive: a file
 * that is not listed, an export that points nowhere, the thread's entry.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const project = mkdtempSync(join(tmpdir(), 'millrace-packed-'));
const archives = join(project, 'archives');

const PROGRAM = `
import { connect } from 'millrace';
import { startRedis } from '@millrace/testkit';

await using redis = await startRedis();
await using millrace = await connect({ url: redis.url, logger: false });
await millrace.admin.createTopic('orders', { partitions: 4 });
const producer = millrace.producer();
for (let n = 0; n < 100; n++) await producer.send('orders', { key: 'k' + (n % 7), value: { n } });
const seen = new Set();
const { promise: done, resolve } = Promise.withResolvers();
const consumer = millrace.consumer({ group: 'billing', topics: ['orders'] });
await consumer.run({
  eachRecord: ({ record }) => {
    seen.add(record.json().n);
    if (seen.size === 100) resolve();
  },
});
await done;
console.log('packed packages: ' + seen.size + ' of 100 records came through');
`;

try {
  mkdirSync(archives);
  run('node', [join(root, 'tools', 'build.ts')], root);
  for (const name of ['core', 'redis', 'client', 'testkit']) {
    run('npx', ['-y', 'pnpm@12.21.0', 'pack', '--pack-destination', archives], join(root, 'packages', name));
  }
  const files = readdirSync(archives).map((file) => `./archives/${file}`);
  const dependencies = Object.fromEntries(files.map((file) => [nameOf(file), `file:${file}`]));
  writeFileSync(
    join(project, 'package.json'),
    // The archives name each other by version, and no registry has them: overrides point to the files.
    JSON.stringify({ private: true, type: 'module', dependencies, overrides: dependencies }),
  );
  run('npm', ['install', '--no-audit', '--no-fund', '--omit=peer', '--loglevel=error'], project);
  writeFileSync(join(project, 'program.mjs'), PROGRAM);
  run(process.execPath, ['program.mjs'], project);
} finally {
  rmSync(project, { recursive: true, force: true });
}

function nameOf(file: string): string {
  return file.includes('/millrace-core') ||
    file.includes('/millrace-redis') ||
    file.includes('/millrace-testkit')
    ? `@millrace/${/millrace-([a-z]+)-/.exec(file)?.[1] ?? ''}`
    : 'millrace';
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: 'inherit' });
}
