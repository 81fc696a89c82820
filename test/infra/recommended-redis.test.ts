/** The configuration and the users that we recommend, on a real Redis: accepted, and as wide as they say, not wider. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis } from '@millrace/testkit';
import type { RedisServer } from '@millrace/testkit';

const folder = fileURLToPath(new URL('../../infra/redis', import.meta.url));
const scripts = fileURLToPath(new URL('../../packages/redis/scripts', import.meta.url));

let server: RedisServer | undefined;
let redis: Redis;

beforeAll(async () => {
  const users = await readFile(`${folder}/users.acl`, 'utf8');
  const user = users
    .trim()
    .split('\n')
    .map((line) => line.replace(/^user /, ''))
    // Off, it would lock this test out too.
    .filter((line) => line !== 'default off');
  server = await startRedis({ directives: { include: `${folder}/redis.conf`, user } });
  redis = new Redis(server.url);
});

afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

/** 'OK', or why the user may not. */
const dryRun = async (user: string, ...command: string[]): Promise<string> =>
  redis.acl('DRYRUN', user, ...(command as [string])).then(String, (error: Error) => error.message);

test('Redis takes the configuration', async () => {
  const settings = async (name: string) => (await redis.config('GET', name))[1];
  expect(await settings('appendonly')).toBe('yes');
  expect(await settings('maxmemory-policy')).toBe('noeviction');
  expect(await settings('no-appendfsync-on-rewrite')).toBe('no');
});

test('the default user is off and no user has a password that stands in the repository', async () => {
  const lines = (await readFile(`${folder}/users.acl`, 'utf8')).trim().split('\n');
  expect(lines[0]).toBe('user default off');
  for (const line of lines.slice(1)) {
    expect(line).toMatch(/^user millrace-\w+ on resetpass resetkeys resetchannels -@all /);
    expect(line).not.toMatch(/ [>#]| nopass/);
  }
});

const log = 'millrace:{orders/3}:log';
const state = 'millrace:{orders/3}:state';
const billing = 'millrace:{orders/3}:group:billing';

test.for([
  ['millrace-producer', 'EVALSHA', 'sha', '2', log, state],
  ['millrace-worker', 'XREAD', 'BLOCK', '1', 'STREAMS', log, '0-0'],
  ['millrace-worker', 'EVALSHA', 'sha', '2', billing, state],
  ['millrace-worker', 'SSUBSCRIBE', 'millrace:{billing}:wake'],
  ['millrace-worker', 'SET', 'millrace:{billing}:leader-lock', 'value', 'NX', 'PX', '1000'],
  ['millrace-trimmer', 'EVALSHA', 'sha', '3', log, state, 'millrace:{orders/3}:group:shipping'],
  ['millrace-viewer', 'HGETALL', 'millrace:{billing}:members'],
  ['millrace-admin', 'UNLINK', log],
])('%s may %s', async ([user = '', ...command]) => {
  expect(await dryRun(user, ...command)).toBe('OK');
});

test.for([
  ['millrace-producer', 'XREAD', 'STREAMS', log, '0-0'],
  ['millrace-producer', 'EVALSHA', 'sha', '1', 'millrace:{invoices/3}:log'],
  ['millrace-producer', 'HSET', billing, 'committed', '9'],
  ['millrace-producer', 'HSET', 'millrace:topics', 'orders', '{}'],
  ['millrace-worker', 'XADD', log, '*', 'field', 'value'],
  ['millrace-worker', 'EVALSHA', 'sha', '1', log],
  ['millrace-worker', 'HSET', 'millrace:{orders/3}:group:shipping', 'committed', '9'],
  ['millrace-worker', 'HSET', 'millrace:{shipping}:owners', 'orders/3', '1 me'],
  ['millrace-worker', 'XREAD', 'STREAMS', 'millrace:{invoices/3}:log', '0-0'],
  ['millrace-worker', 'SPUBLISH', 'millrace:{shipping}:wake', ''],
  ['millrace-worker', 'XTRIM', log, 'MAXLEN', '0'],
  ['millrace-trimmer', 'EVALSHA', 'sha', '1', 'millrace:{invoices/3}:log'],
  ['millrace-viewer', 'HSET', 'millrace:{billing}:members', 'me', '{}'],
  ['millrace-viewer', 'EVAL', 'return 1', '0'],
  ['millrace-admin', 'HGET', 'other:{billing}:members', 'me'],
  ['millrace-admin', 'FLUSHALL', 'ASYNC'],
  ['millrace-admin', 'CONFIG', 'GET', 'requirepass'],
  ['millrace-admin', 'KEYS', '*'],
])('%s may not %s %s', async ([user = '', ...command]) => {
  expect(await dryRun(user, ...command)).toMatch(/no permissions to (run|access)/);
});

/** Who calls what; a script that stands in neither is the worker's, and the admin may run all of them. */
const producerScripts = new Set(['append.lua', 'raise-producer-epoch.lua']);
const trimmerScripts = new Set(['trim-partition.lua']);
const adminScripts = new Set([
  'create-partition.lua',
  'delete-group.lua',
  'delete-partition.lua',
  'forget-group.lua',
  'limit-partition.lua',
  'replace-topic.lua',
]);

test('every command of every script is allowed to the user that runs it', async () => {
  const refused: string[] = [];
  for (const name of await readdir(scripts)) {
    if (!name.endsWith('.lua')) continue;
    const users = ['millrace-admin'];
    if (producerScripts.has(name)) users.push('millrace-producer');
    else if (trimmerScripts.has(name)) users.push('millrace-trimmer');
    else if (!adminScripts.has(name)) users.push('millrace-worker', 'millrace-trimmer');
    const text = await readFile(`${scripts}/${name}`, 'utf8');
    const commands = new Set(
      [...text.matchAll(/redis\.call\(\s*'([A-Z]+)'(?:, '(SHARD[A-Z]+)')?/g)].map(toCommand),
    );
    expect(commands.size).toBeGreaterThan(0);
    for (const user of users) {
      for (const command of commands) {
        const answer = await dryRun(user, ...command.split(' '), 'x', 'x', 'x', 'x');
        if (answer.includes('no permissions to run')) refused.push(`${user}: ${command} in ${name}`);
      }
    }
  }
  expect(refused).toEqual([]);
});

const toCommand = (match: RegExpExecArray): string => [match[1], match[2]].filter(Boolean).join(' ');
