/** Each mode against a real Redis, looked at from both sides: what the client sees, and what the server did. */
import { connect as connectSocket, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import { eventually, startFaultProxy } from '@millrace/testkit';
import type { FaultProxy } from '@millrace/testkit';
import { test as base } from '@millrace/testkit/vitest';

const test = base
  .extend('proxy', async ({ redis }, { onCleanup }): Promise<FaultProxy> => {
    const { hostname, port } = new URL(redis.url);
    const proxy = await startFaultProxy({ target: { host: hostname, port: Number(port || 6379) } });
    onCleanup(() => proxy.stop());
    return proxy;
  })
  .extend('key', async ({ redis, ioredis }, { onCleanup }) => {
    const key = `${redis.prefix}:key`;
    onCleanup(async () => {
      await ioredis.unlink(key);
    });
    return key;
  })
  /** Opens a connection through the proxy that neither reconnects nor resends. */
  .extend('connect', async ({ redis, proxy }) => async (name: string, commandTimeout = 5_000) => {
    const url = new URL(redis.url);
    url.host = `${proxy.host}:${proxy.port}`;
    const client = new Redis(url.href, {
      connectionName: `${redis.prefix}:${name}`,
      retryStrategy: () => null,
      autoResendUnfulfilledCommands: false,
      disableClientInfo: true,
      lazyConnect: true,
      commandTimeout,
    });
    client.on('error', () => {});
    onTestFinished(() => client.disconnect());
    return client;
  });

async function seenByServer(ioredis: Redis, name: string): Promise<boolean> {
  return String(await ioredis.client('LIST')).includes(` name=${name} `);
}

/** What ioredis says of a command whose connection was lost. */
const ended = /connection is closed|ECONNRESET/i;

/** Listens from now on: a rejection that nobody has listened for fails the test file. */
const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    (value) => `no failure: ${String(value)}`,
    (error: Error) => error.message,
  );

const settled = (promise: Promise<unknown>): { readonly isSettled: () => boolean } => {
  let isSettled = false;
  const settle = (): void => void (isSettled = true);
  promise.then(settle, settle);
  return { isSettled: () => isSettled };
};

test('without a fault everything passes, large and small, and is counted', async ({
  proxy,
  connect,
  key,
}) => {
  const client = await connect('client');
  const value = Buffer.alloc(3_000_000, 'v');
  await client.set(key, value);
  expect((await client.getBuffer(key))?.equals(value)).toBe(true);
  expect(proxy.counts).toEqual({ open: 1, accepted: 1, reset: 0, repliesDropped: 0 });
  const [connection] = proxy.connections;
  const before = connection!.commands;
  await client.pipeline().ping().ping().exec();
  expect(connection).toMatchObject({ id: 1, link: 'client', peer: undefined, commands: before + 2 });
  await client.quit();
  await eventually(() => proxy.counts.open === 0);
});

test('a blackhole holds a command back and delivers it late', async ({ proxy, connect, ioredis, key }) => {
  const client = await connect('client');
  await client.ping();
  const fault = proxy.apply({ kind: 'blackhole' });
  const answer = client.incr(key);
  const { isSettled } = settled(answer);
  const late = await connect('late');
  const lateAnswer = late.connect().then(() => late.incr(key));
  await eventually(() => proxy.counts.accepted === 2);
  for (let n = 0; n < 20; n++) await ioredis.ping(); // time enough for a command that was not held back
  expect(await ioredis.get(key)).toBeNull();
  expect(isSettled()).toBe(false);
  expect(await seenByServer(ioredis, late.options.connectionName!)).toBe(false);
  fault.heal();
  fault.heal();
  expect(new Set(await Promise.all([answer, lateAnswer]))).toEqual(new Set([1, 2]));
});

test('a command in a blackhole that ends with a reset is never executed', async ({
  proxy,
  connect,
  ioredis,
  key,
}) => {
  const client = await connect('client');
  await client.ping();
  const fault = proxy.apply({ kind: 'blackhole', afterwards: 'reset' });
  const answer = client.incr(key);
  const failure = failureOf(answer);
  fault.heal();
  expect(await failure).toMatch(ended);
  expect(await ioredis.get(key)).toBeNull();
  expect(proxy.counts.reset).toBe(1);
});

test('a blackhole to the client lets commands be executed and holds their replies', async ({
  proxy,
  connect,
  ioredis,
  key,
}) => {
  const client = await connect('client');
  await client.ping();
  using fault = proxy.apply({ kind: 'blackhole', direction: 'toClient' });
  const answer = client.incr(key);
  const { isSettled } = settled(answer);
  await eventually(async () => (await ioredis.get(key)) === '1');
  expect(isSettled()).toBe(false);
  fault.heal();
  expect(await answer).toBe(1);
});

test('a blackhole to the server still lets messages out', async ({ proxy, connect, ioredis, redis, key }) => {
  const subscriber = await connect('subscriber');
  const client = await connect('client');
  await client.ping();
  const messages: string[] = [];
  subscriber.on('message', (_channel, message) => messages.push(message));
  await subscriber.subscribe(`${redis.prefix}:channel`);
  using fault = proxy.apply({ kind: 'blackhole', direction: 'toServer' });
  const answer = client.incr(key);
  await ioredis.publish(`${redis.prefix}:channel`, 'through');
  await eventually(() => messages.length === 1);
  expect(await ioredis.get(key)).toBeNull();
  fault.heal();
  expect(await answer).toBe(1);
});

test('a delay keeps the order and lasts', async ({ proxy, connect, key }) => {
  const client = await connect('client');
  await client.ping();
  const fault = proxy.apply({ kind: 'delay', ms: 40 });
  const start = performance.now();
  const answers = [client.incr(key), client.incr(key), client.incr(key)];
  expect(await Promise.all(answers)).toEqual([1, 2, 3]);
  expect(performance.now() - start).toBeGreaterThanOrEqual(80); // both ways: less cannot be
  const slow = client.incr(key);
  fault.heal(); // what is on its way stays late; what follows must not overtake it
  expect(await Promise.all([slow, client.incr(key)])).toEqual([4, 5]);
});

test('a reset ends what there is and what comes, as long as it lasts', async ({ proxy, connect }) => {
  const [client, other] = [await connect('client'), await connect('other')];
  await Promise.all([client.ping(), other.ping()]);
  const end = new Promise((resolve) => client.once('end', resolve));
  const fault = proxy.apply(
    { kind: 'reset' },
    { select: ({ id }) => id !== 2 }, // spares one
  );
  await end;
  const third = await connect('third');
  await expect(third.ping()).rejects.toThrow(ended);
  expect(await other.ping()).toBe('PONG');
  fault.heal();
  const fourth = await connect('fourth');
  expect(await fourth.ping()).toBe('PONG');

  // Once: those that there are, and none that come.
  expect(proxy.reset()).toBe(2);
  await eventually(() => fourth.status === 'end' && other.status === 'end');
  const fifth = await connect('fifth');
  expect(await fifth.ping()).toBe('PONG');
  expect(proxy.counts).toMatchObject({ open: 1, reset: 4 });
});

test('half open, the client gone: the server believes it alive', async ({ proxy, connect, ioredis }) => {
  const client = await connect('client');
  await client.ping();
  const name = client.options.connectionName!;
  const fault = proxy.apply({ kind: 'halfOpen', gone: 'client' });
  await eventually(() => client.status === 'end');
  for (let n = 0; n < 20; n++) await ioredis.ping();
  expect(await seenByServer(ioredis, name)).toBe(true);
  fault.heal();
  await eventually(async () => !(await seenByServer(ioredis, name)));
});

test('half open, the server gone: the client believes it alive', async ({ proxy, connect, ioredis }) => {
  const client = await connect('client', 50);
  await client.ping();
  const name = client.options.connectionName!;
  const fault = proxy.apply({ kind: 'halfOpen', gone: 'server' });
  await eventually(async () => !(await seenByServer(ioredis, name)));
  await expect(client.ping()).rejects.toThrow(/timed out/);
  expect(client.status).toBe('ready');
  fault.heal();
  await eventually(() => client.status === 'end');
});

test('a dropped reply is that of a command that was executed', async ({ proxy, connect, ioredis, key }) => {
  const client = await connect('client');
  await client.ping();
  const rule = proxy.dropReplies({ matching: ({ name, key: first }) => name === 'INCRBY' && first === key });
  const before = client.incr(key);
  const dropped = client.incrby(key, 10);
  const after = client.incr(key);
  const lost = failureOf(dropped);
  const unsure = failureOf(after);
  expect(await before).toBe(1);
  expect([await lost, await unsure]).toEqual([expect.stringMatching(ended), expect.stringMatching(ended)]);
  expect(rule.dropped).toBe(1);
  expect(proxy.counts).toMatchObject({ repliesDropped: 1, reset: 1 });
  await eventually(async () => expect(await ioredis.get(key)).toBe('12'));
  const next = await connect('next');
  expect(await next.incrby(key, 10)).toBe(22); // the rule was for one reply
});

test('replies of several megabytes are dropped whole, and those before them kept', async ({
  proxy,
  connect,
  key,
}) => {
  const client = await connect('client');
  await client.set(key, Buffer.alloc(4_000_000, 'v'));
  const rule = proxy.dropReplies({ matching: ({ name }) => name === 'GETRANGE', outcome: 'silence' });
  const whole = client.getBuffer(key);
  const part = client.getrange(key, 0, 3_000_000);
  const { isSettled } = settled(part);
  part.catch(() => {});
  expect((await whole)?.length).toBe(4_000_000);
  await eventually(() => rule.dropped === 1);
  expect(isSettled()).toBe(false);
  expect(client.status).toBe('ready');

  // Not even its head: a client that has seen half of a reply waits for the rest, one that has seen none may not.
  proxy.dropReplies({ matching: ({ name }) => name === 'GET' });
  const socket = connectSocket(proxy.port, proxy.host);
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1'))).on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(`PING\r\nGET ${key}\r\nPING\r\n`);
  await closed;
  expect(received).toBe('+PONG\r\n');
});

test('a server does not see the connections that are made in a blackhole', async () => {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.on('error', () => {});
  });
  await using _server = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using proxy = await startFaultProxy({
    target: () => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }),
  });
  const fault = proxy.apply({ kind: 'blackhole' });
  const unseen = connectSocket(proxy.port, proxy.host).on('error', () => {});
  await eventually(() => proxy.counts.accepted === 1);
  proxy.apply({ kind: 'pass' }, { select: ({ id }) => id === 2 });
  connectSocket(proxy.port, proxy.host).on('error', () => {});
  await eventually(() => accepted === 1);
  expect(unseen.destroyed).toBe(false);
  fault.heal();
  await eventually(() => accepted === 2);
});

test('a script is matched by its digest, sent as text or not', async ({ proxy, connect, ioredis, key }) => {
  const text = 'return redis.call("INCR", KEYS[1])';
  const digest = (await ioredis.script('LOAD', text)) as string;
  const isScript = ({
    script,
    key: first,
  }: {
    script: string | undefined;
    key: string | undefined;
  }): boolean => script === digest && first === key;
  const rule = proxy.dropReplies({ matching: isScript, count: 2 });
  const [first, second, third] = [await connect('first'), await connect('second'), await connect('third')];
  await expect(first.eval(text, 1, key)).rejects.toThrow(ended);
  await expect(second.evalsha(digest, 1, key)).rejects.toThrow(ended);
  expect(rule.dropped).toBe(2);
  expect(await third.evalsha(digest, 1, key)).toBe(3);
});

test('a rule that was healed drops nothing more', async ({ proxy, connect, key }) => {
  const client = await connect('client');
  const rule = proxy.dropReplies({ count: 100, matching: ({ name }) => name === 'INCR' });
  rule.heal();
  expect(await client.incr(key)).toBe(1);
  proxy.dropReplies({ matching: ({ name }) => name === 'INCR' });
  proxy.apply({ kind: 'reset' }, { select: ({ id }) => id > 1 });
  proxy.healAll();
  expect(await client.incr(key)).toBe(2);
  expect(await (await connect('second')).incr(key)).toBe(3);
  expect(rule.dropped).toBe(0);
});

test('of two faults on one connection the later one counts, and the earlier one comes back', async ({
  proxy,
  connect,
}) => {
  const client = await connect('client');
  await client.ping();
  proxy.apply({ kind: 'blackhole' });
  const exempt = proxy.apply({ kind: 'pass' });
  expect(await client.ping()).toBe('PONG');
  exempt.heal();
  const answer = client.ping();
  const { isSettled } = settled(answer);
  const other = await connect('other');
  const otherAnswer = other.ping();
  await eventually(() => proxy.counts.accepted === 2);
  expect(isSettled()).toBe(false);
  proxy.healAll();
  expect(await Promise.all([answer, otherAnswer])).toEqual(['PONG', 'PONG']);
});

test('stop ends every connection, whatever its mode', async ({ redis }) => {
  const { hostname, port } = new URL(redis.url);
  const proxy = await startFaultProxy({ target: { host: hostname, port: Number(port || 6379) } });
  const url = `redis://${proxy.host}:${proxy.port}`;
  const clients = [1, 2, 3].map(() => new Redis(url, { retryStrategy: () => null }));
  for (const client of clients) client.on('error', () => {});
  await Promise.allSettled(clients.map((client) => client.ping()));
  proxy.apply({ kind: 'blackhole' }, { select: ({ id }) => id === 1 });
  proxy.apply({ kind: 'halfOpen', gone: 'client' }, { select: ({ id }) => id === 2 });
  await proxy.stop();
  await eventually(() => clients.every(({ status }) => status === 'end'));
});
