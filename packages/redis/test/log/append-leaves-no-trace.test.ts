/** A batch that is not stored leaves no trace of itself, whatever it was that kept it out. */
import { describe, expect } from 'vitest';
import { appendBatch } from '../../src/log/append-batch.ts';
import { appendRequest, test, type LogFixture } from './log-fixture.ts';

/** What Redis says to a user who may not run a command, or not on this key. */
const REFUSAL = /can't run this command|can't access at least one|NOPERM/;

function streamOf(logs: LogFixture): string {
  return logs.keys.partition('orders', 0).log;
}

/** All that says what the log holds. */
async function books({ ioredis, keys }: LogFixture): Promise<unknown> {
  const { log, state, producers } = keys.partition('orders', 0);
  const isStream = (await ioredis.type(log)) === 'stream';
  return {
    entries: isStream ? await ioredis.xrange(log, '-', '+') : null,
    state: await ioredis.hgetall(state),
    producers: await ioredis.hgetall(producers),
  };
}

/** A connection of a user with these rules. */
async function connectAs(logs: LogFixture, ...rules: readonly string[]) {
  const username = `${logs.keys.prefix}-user`;
  await logs.ioredis.call('ACL', 'SETUSER', username, 'on', '>secret', '~*', '+@all', ...rules);
  const connection = logs.ioredis.duplicate({ username, password: 'secret', lazyConnect: true });
  await connection.connect();
  return Object.assign(connection, {
    async [Symbol.asyncDispose]() {
      connection.disconnect();
      await logs.ioredis.call('ACL', 'DELUSER', username);
    },
  });
}

describe('a refusal by Redis leaves the partition as it was', () => {
  // Redis checks a script's commands one by one against the caller's ACL, and rolls nothing back.
  test.for([
    ...['hmget', 'hget', 'info', 'zadd', 'zcard', 'time', 'xrange', 'xadd', 'hset', 'hdel'].map((name) => ({
      what: name,
      rules: [`-${name}`],
    })),
    { what: 'hset the state', rules: ['-hset', '(+hset ~*:producers)'] },
    { what: "hset the producers' state", rules: ['-hset', '(+hset ~*:state)'] },
  ])('when the user may not $what', async ({ rules }, { logs }) => {
    await logs.append('a');
    const before = await books(logs);
    await using limited = await connectAs(logs, ...rules);
    // Two records: nothing can lie in front of a single one, and nothing is looked for.
    const request = appendRequest({ values: ['b', 'c'] });
    await expect(appendBatch(limited, logs.keys, request)).rejects.toThrow(REFUSAL);
    expect(await books(logs)).toEqual(before);
    expect(await logs.log.append(request)).toMatchObject({ status: 'APPENDED', baseOffset: 1 });
  });

  test('when the user may trim and may not say what went', async ({ logs }) => {
    await logs.append('a');
    await logs.topics.setLimits('orders', { maxRecords: 1, onFull: 'trim' });
    const before = await books(logs);
    await using limited = await connectAs(logs, '-hset');
    await expect(appendBatch(limited, logs.keys, appendRequest())).rejects.toThrow(REFUSAL);
    expect(await books(logs)).toEqual(before);
  });
});

describe('a batch that could not be added is known nowhere', () => {
  // What says that the log has it is written before it: left behind, it would make a duplicate of a lost batch.
  const obstacles: readonly {
    readonly what: string;
    readonly answer: { readonly status: string } | RegExp;
    readonly put: (logs: LogFixture) => Promise<unknown>;
    readonly remove: (logs: LogFixture) => Promise<unknown>;
  }[] = [
    {
      what: 'the stream is gone',
      answer: { status: 'LOG_MISSING' },
      put: ({ ioredis, keys }) =>
        ioredis.rename(keys.partition('orders', 0).log, `${keys.prefix}:{orders/0}:aside`),
      remove: ({ ioredis, keys }) =>
        ioredis.rename(`${keys.prefix}:{orders/0}:aside`, keys.partition('orders', 0).log),
    },
    {
      what: 'somebody added an entry',
      answer: { status: 'FOREIGN_ENTRY' },
      put: (logs) => logs.ioredis.xadd(streamOf(logs), '0-9', 'hello', 'world'),
      async remove(logs) {
        await logs.ioredis.xdel(streamOf(logs), '0-9');
        await logs.ioredis.call('XSETID', streamOf(logs), '0-2');
      },
    },
    {
      what: 'something else has its place',
      answer: /^WRONGTYPE/,
      async put(logs) {
        await logs.ioredis.rename(streamOf(logs), `${logs.keys.prefix}:{orders/0}:aside`);
        await logs.ioredis.set(streamOf(logs), 'text');
      },
      remove: (logs) => logs.ioredis.rename(`${logs.keys.prefix}:{orders/0}:aside`, streamOf(logs)),
    },
  ];
  const writers = [
    { who: 'a producer that is known', before: appendRequest(), next: appendRequest({ sequence: 1 }) },
    {
      who: 'a producer that begins a new epoch',
      before: appendRequest(),
      next: appendRequest({ producerEpoch: 1 }),
    },
    {
      who: 'a producer that nobody knows',
      before: appendRequest({ producerId: 'other' }),
      next: appendRequest(),
    },
  ];

  test.for(obstacles.flatMap((obstacle) => writers.map((writer) => ({ ...obstacle, ...writer }))))(
    '$what, $who',
    async ({ answer, put, remove, before, next }, { logs }) => {
      await logs.append('a');
      await logs.log.append(before);
      await put(logs);
      const known = await books(logs);
      const append = appendBatch(logs.ioredis, logs.keys, next);
      if (answer instanceof RegExp) await expect(append).rejects.toThrow(answer);
      else expect(await append).toMatchObject(answer);
      expect(await books(logs)).toEqual(known);
      await remove(logs);
      expect(await logs.log.append(next)).toMatchObject({ status: 'APPENDED', baseOffset: 2 });
      expect(await logs.log.append(next)).toMatchObject({ status: 'DUPLICATE', baseOffset: 2 });
    },
  );

  test('in a log that is still empty', async ({ logs }) => {
    const { state } = logs.keys.partition('orders', 0);
    const id = await logs.ioredis.xadd(streamOf(logs), '*', 'hello', 'world');
    expect(await appendBatch(logs.ioredis, logs.keys, appendRequest())).toEqual({
      status: 'FOREIGN_ENTRY',
      id,
    });
    expect(await logs.ioredis.hmget(state, 'end', 'bytes', 'appendedMs')).toEqual(['0', '0', '0']);
    await logs.ioredis.del(streamOf(logs));
    expect(await logs.log.append(appendRequest())).toMatchObject({ status: 'APPENDED', baseOffset: 0 });
  });
});
