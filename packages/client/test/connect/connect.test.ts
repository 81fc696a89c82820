import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { pino } from 'pino';
import { closeConnection, openConnection } from '@millrace/redis';
import { eventually, startRedis } from '@millrace/testkit';
import { expect } from 'vitest';
import { connect, type Logger } from '../../src/index.ts';
import { silentLogger } from '../../src/logging/logger.ts';
import { failure, test } from '../client-fixture.ts';

const PASSWORD = 'hunter2';

test('an unreachable Redis is named by host and port, and the password is nowhere', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  const error = await failure(
    connect({ url: `redis://ann:${PASSWORD}@127.0.0.1:${port}/1`, connectTimeoutMs: 100 }),
  );
  expect(error).toMatchObject({
    code: 'REDIS_UNREACHABLE',
    retryable: true,
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(PASSWORD);
});

test('a database that the server has not is named', async ({ redis }) => {
  const url = `${redis.url.replace(/(?<=:\d+)\/.*$/, '')}/9999`;
  expect(await failure(connect({ url, logger: false }))).toMatchObject({
    name: 'ConfigError',
    code: 'INVALID_OPTION',
    message: expect.stringContaining('/9999: Redis has no database of the number'),
  });
});

test('a wrong password is refused at once, and shown nowhere', async () => {
  await using server = await startRedis({ requirepass: 'right' });
  const error = await failure(connect(`redis://:${PASSWORD}@${server.host}:${server.port}`));
  expect(error).toMatchObject({ name: 'ConfigError', code: 'AUTHENTICATION_FAILED', retryable: false });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(PASSWORD);
});

test('a user without the permissions is told which, and a connection that failed is closed', async () => {
  await using server = await startRedis({
    directives: { user: ['default on nopass ~* &* +@all', 'ann on >pw ~* +@all -info'] },
  });
  const { host, port } = server;
  expect(await failure(connect(`redis://ann:pw@${host}:${port}`))).toMatchObject({
    code: 'PERMISSION_DENIED',
    message: expect.stringContaining('INFO'),
  });
  const observer = await openConnection({ url: server.url, connectTimeoutMs: 5_000 }, 'command', 'observer');
  await eventually(async () => expect(await observer.client('LIST')).not.toContain('user=ann'));
  await closeConnection(observer);
});

test('settings that would lose records are warned about by name, once per connect', async () => {
  await using server = await startRedis({
    directives: { appendonly: 'no', 'maxmemory-policy': 'allkeys-lru' },
  });
  const warnings: (Error & { code?: string })[] = [];
  const listen = (warning: Error): void => void warnings.push(warning);
  process.on('warning', listen);
  await using _client = await connect(server.url);
  await eventually(() => warnings.length === 2);
  await using _quiet = await connect({ url: server.url, logger: false });
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(warnings.map(({ name, code }) => [name, code])).toEqual([
    ['MillraceWarning', 'appendonly'],
    ['MillraceWarning', 'maxmemory-policy'],
  ]);
});

test('with a logger the warnings go there', async () => {
  await using server = await startRedis({ directives: { appendonly: 'no' } });
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  await using _client = await connect({ url: server.url, logger });
  const [warning] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(warning).toMatchObject({
    level: 40,
    setting: 'appendonly',
    value: 'no',
    msg: expect.stringContaining('set "appendonly yes"'),
  });
});

test('loss and return of the connection are logged, without a payload or a password', async () => {
  await using server = await startRedis({ requirepass: PASSWORD });
  const lines: string[] = [];
  const write = (level: string) => (fields: object, message?: string) =>
    void lines.push(`${level} ${message} ${inspect(fields, { depth: 9 })}`);
  const logger: Logger = {
    ...silentLogger,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  await using client = await connect({ url: server.url, logger });
  await client.admin.createTopic('orders', { partitions: 1 });
  await using producer = client.producer();
  await producer.send('orders', { value: 'a payload' });
  const sending = server.restart?.().then(() => producer.send('orders', { value: 'a payload' }));
  await sending;
  await eventually(() => lines.some((line) => line.startsWith('info connected to Redis again')));
  expect(lines.some((line) => line.startsWith('warn the connection to Redis was lost'))).toBe(true);
  expect(lines.join('\n')).not.toContain(PASSWORD);
  expect(lines.join('\n')).not.toContain('a payload');
});

test('two prefixes on one server do not see each other', async ({ redis, millrace }) => {
  await millrace.admin.createTopic('orders', { partitions: 1 });
  await using other = await connect({ url: redis.url, prefix: `${redis.prefix}:other` });
  expect(await other.admin.listTopics()).toEqual([]);
  await other.admin.createTopic('orders', { partitions: 2 });
  await other.admin.deleteTopic('orders');
  expect(await millrace.admin.listTopics()).toMatchObject([{ name: 'orders', partitions: 1 }]);
});

test('close is safe to repeat and leaves no connection', async ({ redis, ioredis }) => {
  const client = await connect({ url: redis.url, prefix: redis.prefix, name: 'closing' });
  expect(await ioredis.client('LIST')).toContain(`name=${redis.prefix}:closing:command`);
  await Promise.all([client.close(), client.close()]);
  await client[Symbol.asyncDispose]();
  await eventually(async () =>
    expect(await ioredis.client('LIST')).not.toContain(`name=${redis.prefix}:closing`),
  );
  expect(() => client.consumer({ group: 'g', topics: ['orders'] })).toThrow(
    expect.objectContaining({ code: 'CLOSED' }),
  );
  expect(await failure(client.admin.listTopics())).toMatchObject({ name: 'ClosedError', code: 'CLOSED' });
});
