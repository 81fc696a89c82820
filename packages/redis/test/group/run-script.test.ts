/** How scripts reach the server: by digest, and by text where the server does not know it. */
import { createHash } from 'node:crypto';
import { createKeys, RedisPartitionStore } from '@millrace/redis';
import { describe, expect } from 'vitest';
import { runScript, type LuaScript } from '../../src/run-script.ts';
import { acquireRequest, fenceOf } from '../partition/partition-fixture.ts';
import { callsOf, test } from './own-server.ts';

function scriptOf(text: string, isReadOnly: boolean): LuaScript {
  const sha1 = createHash('sha1').update(text).digest('hex');
  return { name: 'test', sha1, text, keyCount: 1, isReadOnly };
}

const SCRIPTS = {
  writing: scriptOf("#!lua\nreturn { 'OK', KEYS[1], ARGV[1], ARGV[2], redis.call('INCR', KEYS[1]) }", false),
  reading: scriptOf("#!lua flags=no-writes\nreturn { 'OK', KEYS[1], ARGV[1], ARGV[2], 1 }", true),
};

describe.for([
  { script: SCRIPTS.writing, what: 'writes', byDigest: 'evalsha', byText: 'eval' },
  { script: SCRIPTS.reading, what: 'only reads', byDigest: 'evalsha_ro', byText: 'eval_ro' },
])('a script that $what', ({ script, byDigest, byText }) => {
  test('is sent as text where the server does not know it, and by its digest from then on', async ({
    open,
  }) => {
    const redis = await open();
    await redis.script('FLUSH');
    for (const digests of [1, 2, 3]) {
      expect((await runScript(redis, script, ['key'], ['a', 'b']))[0]).toBe('OK');
      expect([await callsOf(redis, byDigest), await callsOf(redis, byText)]).toEqual([digests, 1]);
    }
    await redis.script('FLUSH');
    await runScript(redis, script, ['key'], ['a', 'b']);
    expect([await callsOf(redis, byDigest), await callsOf(redis, byText)]).toEqual([4, 2]);
  });

  test('gets the same keys and arguments either way, bytes included, and runs once', async ({ open }) => {
    const redis = await open();
    await redis.script('FLUSH');
    const bytes = Buffer.from([0, 0x41, 0x0a, 0x7f]);
    const reply = ['OK', 'key', '\0A\n\x7f', '9007199254740991', 1];
    expect(await runScript(redis, script, ['key'], [bytes, Number.MAX_SAFE_INTEGER])).toEqual(reply);
    await redis.del('key');
    expect(await runScript(redis, script, ['key'], [bytes, Number.MAX_SAFE_INTEGER])).toEqual(reply);
  });

  test('that fails is not sent a second time', async ({ open }) => {
    const redis = await open();
    const failing = scriptOf(
      script.text.replace('return', "redis.call('GET', KEYS[1]); return"),
      script.isReadOnly,
    );
    await redis.script('LOAD', failing.text);
    await redis.lpush('key', 'no text');
    await expect(runScript(redis, failing, ['key'], ['a', 'b'])).rejects.toThrow(/WRONGTYPE/);
    expect(await callsOf(redis, byText)).toBe(0);
  });
});

test('a user who may only read runs what only reads', async ({ open }) => {
  const redis = await open();
  await redis.acl(
    'SETUSER',
    'reader',
    'on',
    'nopass',
    '%R~*',
    '+@read',
    '+eval_ro',
    '+evalsha_ro',
    '+auth',
    '+hello',
  );
  const reader = await open();
  await reader.call('AUTH', 'reader', 'any');
  expect((await runScript(reader, SCRIPTS.reading, ['key'], ['a', 'b']))[0]).toBe('OK');
  await expect(runScript(reader, SCRIPTS.writing, ['key'], ['a', 'b'])).rejects.toThrow(/^NOPERM/);
});

test('an ownership survives that the server forgets its scripts between two calls', async ({ open }) => {
  const redis = await open();
  const keys = createKeys('run-script');
  await redis.hset(keys.partition('orders', 0).state, { start: 0, end: 10, incarnation: '1-x' });
  const store = new RedisPartitionStore(redis, keys);
  const request = acquireRequest('a');
  const acquired = await store.acquire(request);
  if (acquired.status !== 'ACQUIRED') throw new Error(acquired.status);
  for (const offset of [3, 7, 10]) {
    await redis.script('FLUSH');
    const committed = await store.commit(fenceOf(request, acquired), offset, '');
    expect(committed).toEqual({ status: 'COMMITTED', committed: offset });
  }
});
