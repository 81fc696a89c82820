/** docs/operating.md and the code say the same of every option: that it exists, and what it is when nobody sets it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resolveConnectOptions } from '../src/connect/connect-options.ts';
import { resolveOptions } from '../src/consumer/options.ts';
import { resolveProducerOptions } from '../src/producer/producer-options.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
}

/** Option → default, as the table under the heading has it. */
function documented(heading: string): Map<string, string> {
  const section = read('docs/operating.md')
    .split(/^## /m)
    .find((text) => text.startsWith(`${heading}\n`));
  const rows = (section ?? '').matchAll(/^\| `([\w.]+)` \| (.+?) \|/gm);
  return new Map([...rows].map(([, option = '', preset = '']) => [option, preset]));
}

function members(path: string, interfaceName: string): string[] {
  const body =
    new RegExp(`export interface ${interfaceName}\\b[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(read(path))?.[1] ?? '';
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name);
}

function written(value: unknown): string {
  if (value === undefined) return 'none';
  if (value === Number.POSITIVE_INFINITY) return 'no bound';
  if (typeof value === 'number') return value.toLocaleString('en');
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `\`${value}\``;
  return (value as { readonly name: string }).name;
}

const withoutRetry = (names: readonly string[]): string[] => names.filter((name) => name !== 'retry');

test('consumer', () => {
  const table = documented('Settings of a consumer');
  const retry = members('packages/client/src/consumer/lane-worker.ts', 'RetrySettings').map(
    (name) => `retry.${name}`,
  );
  const options = members('packages/client/src/consumer/options.ts', 'ConsumerOptions');
  expect([...table.keys()].sort()).toEqual([...withoutRetry(options), ...retry].sort());

  const { retry: retryDefaults, ...defaults } = resolveOptions({ group: 'g', topics: ['t'] });
  const expected = new Map([
    ...Object.entries(defaults).map(([name, value]) => [name, written(value)] as const),
    ...Object.entries(retryDefaults).map(([name, value]) => [`retry.${name}`, written(value)] as const),
    ['group', 'required'] as const,
    ['topics', 'required'] as const,
  ]);
  expect(Object.fromEntries(table)).toEqual(Object.fromEntries(expected));
});

test('producer', () => {
  const table = documented('Settings of a producer');
  expect([...table.keys()].sort()).toEqual(
    members('packages/client/src/producer/producer-options.ts', 'ProducerOptions').sort(),
  );
  const { partitioner: _ownWords, durability, ...defaults } = resolveProducerOptions({});
  expect(durability).toBe(null);
  expect(table.get('acks')).toBe(written('memory'));
  const replicated = resolveProducerOptions({ acks: 'replicated' }).durability;
  const fsynced = resolveProducerOptions({ acks: 'fsynced' }).durability;
  expect(table.get('replicas')).toBe(`${replicated?.replicas}; ${fsynced?.replicas} with \`fsynced\``);
  expect(table.get('ackTimeoutMs')).toBe(written(replicated?.timeoutMs));
  for (const [name, value] of Object.entries(defaults))
    expect([name, table.get(name)]).toEqual([name, written(value)]);
});

test('client', () => {
  const table = documented('Settings of a client');
  expect([...table.keys()].sort()).toEqual(
    members('packages/client/src/connect/connect-options.ts', 'ConnectOptions').sort(),
  );
  const { config, prefix } = resolveConnectOptions({}, {});
  expect(table.get('url')).toBe('url' in config ? written(config.url) : undefined);
  expect(table.get('connectTimeoutMs')).toBe(written(config.connectTimeoutMs));
  expect(table.get('prefix')).toBe(written(prefix));
});
