/** The connection that speaks to Redis past the driver: what goes wrong on it, and that the driver still looks after it. */
import {
  closeConnection,
  createKeys,
  decodeBatch,
  openConnection,
  openReader,
  readBatches,
} from '@millrace/redis';
import { eventually } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import { toMillraceError } from '../../src/connection/to-millrace-error.ts';
import { ReaderConnection } from '../../src/log/reader-connection.ts';
import { test, type LogFixture } from './log-fixture.ts';

const POSITION = { topic: 'orders', partition: 0, offset: 0 };
const NOW = { maxEntries: 10 };
/** Longer than any test: what ends earlier was ended. */
const WAITING = { maxEntries: 10, blockMs: 60_000 };

async function untilBlocked({ ioredis }: LogFixture): Promise<void> {
  await eventually(async () => /blocked_clients:[1-9]/.test(await ioredis.info('clients')));
}

async function failureOf(reading: Promise<unknown>) {
  const error = await reading.then(
    () => new Error('it was answered'),
    (reason: unknown) => reason,
  );
  const { code, details, message } = toMillraceError(error, 'reading');
  return { code, details, message };
}

/** A connection of the driver that is taken over here, to set it up or to break it. */
async function takenOver(url: string, name: string, change: (redis: Redis) => void) {
  const redis = await openConnection({ url, connectTimeoutMs: 5_000 }, 'reader', name);
  change(redis);
  const keys = createKeys(name.replace(/:reader$/, ''));
  const reader = new ReaderConnection(redis, keys);
  onTestFinished(() => closeConnection(redis));
  await reader.untilKnown();
  return { redis, reader };
}

test('reads that are sent together are answered in their order', async ({ logs }) => {
  for (const value of ['a', 'b', 'c']) await logs.append(value);
  const offsets = [0, 2, 1, 3];
  const answers = await Promise.all(
    offsets.map((offset) => readBatches(logs.reader, [{ ...POSITION, offset }], NOW)),
  );
  expect(answers.map((batches) => batches.map(({ nextOffset }) => nextOffset))).toEqual([
    [1, 2, 3],
    [3],
    [2, 3],
    [],
  ]);
});

test('what Redis refuses fails that read alone', async ({ logs }) => {
  await logs.append('a');
  await logs.ioredis.set(logs.keys.partition('payments', 0).log, 'no log');
  const refused = readBatches(logs.reader, [{ ...POSITION, topic: 'payments', server: 'any' }], NOW);
  const answered = readBatches(logs.reader, [POSITION], NOW);
  await expect(refused).rejects.toThrow(/^WRONGTYPE/);
  expect(await answered).toHaveLength(1);
});

test('the id is the one that CLIENT UNBLOCK takes', async ({ logs, redis }) => {
  const config = { url: redis.url, connectTimeoutMs: 5_000 };
  const other = await openReader(config, logs.keys, `${redis.prefix}:reader`);
  onTestFinished(() => other.close());
  const waiting = readBatches(logs.reader, [POSITION], WAITING);
  await untilBlocked(logs);
  await other.unblock(logs.reader.clientId);
  expect(await waiting).toEqual([]);
});

test('a connection that is lost fails what waits, refuses what comes, and is back', async ({ logs }) => {
  await logs.append('a');
  const { reader, ioredis } = logs;
  const { clientId } = reader;
  const waiting = failureOf(readBatches(reader, [{ ...POSITION, offset: 1 }], WAITING));
  await untilBlocked(logs);
  const killed = ioredis.client('KILL', 'ID', clientId);
  const failed = await waiting;
  expect(failed).toMatchObject({ code: 'REDIS_UNREACHABLE', details: { execution: 'unknown' } });
  // Of the same turn: nothing can have connected since.
  const refused = await failureOf(readBatches(reader, [POSITION], NOW));
  expect(refused).toMatchObject({ code: 'REDIS_UNREACHABLE', details: { execution: 'none' } });
  await killed;
  await eventually(() => reader.clientId > clientId);
  expect(await readBatches(reader, [POSITION], NOW)).toHaveLength(1);
});

test('close fails what waits', async ({ logs }) => {
  const waiting = readBatches(logs.reader, [POSITION], WAITING);
  await untilBlocked(logs);
  const failed = failureOf(waiting);
  await logs.reader.close();
  expect(await failed).toMatchObject({ code: 'REDIS_UNREACHABLE' });
});

test('silence while something is due ends the connection', async ({ logs, redis }) => {
  const { reader } = await takenOver(redis.url, `${redis.prefix}:reader`, (connection) => {
    connection.options.socketTimeout = 70;
  });
  const { clientId } = reader;
  const { message } = await failureOf(readBatches(reader, [POSITION], WAITING));
  expect(message).toContain('Socket timeout');
  await eventually(() => reader.clientId > clientId);
  await logs.append('a');
  expect(await readBatches(reader, [POSITION], NOW)).toHaveLength(1);
});

test('the driver connects anew for the errors that it was told to', async ({ logs, redis }) => {
  const { reader } = await takenOver(redis.url, `${redis.prefix}:reader`, ({ options }) => {
    options.reconnectOnError = (error) => (error.message.startsWith('WRONGTYPE') ? 1 : false);
  });
  const { clientId } = reader;
  await logs.ioredis.set(logs.keys.partition('payments', 0).log, 'no log');
  await expect(readBatches(reader, [{ ...POSITION, topic: 'payments' }], NOW)).rejects.toThrow(/^WRONGTYPE/);
  await eventually(() => reader.clientId > clientId);
});

test.for([
  ['bytes that are no reply', 'HTTP/1.1 400 Bad Request\r\n', /byte 72/],
  ['a reply of another form', '$5\r\nhello\r\n', /none to an XREAD/],
  ['a list of another form', '*1\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n', /none to an XREAD/],
] as const)('%s ends the connection, and what waits', async ([, bytes, message], { logs, redis }) => {
  const { redis: connection, reader } = await takenOver(redis.url, `${redis.prefix}:reader`, () => {});
  const waiting = failureOf(readBatches(reader, [POSITION], WAITING));
  await untilBlocked(logs);
  connection.stream.emit('data', Buffer.from(bytes));
  expect(await waiting).toMatchObject({
    code: 'REDIS_UNREACHABLE',
    details: { execution: 'unknown' },
    message: expect.stringMatching(message),
  });
  await eventually(() => reader.isUsable);
  await logs.append('a');
  expect(await readBatches(reader, [POSITION], NOW)).toHaveLength(1);
});

test('what was refused before the connection was lost is told as that', async ({ logs, redis }) => {
  const { redis: connection, reader } = await takenOver(redis.url, `${redis.prefix}:reader`, () => {});
  const waiting = failureOf(readBatches(reader, [{ ...POSITION, server: 'any' }], WAITING));
  await untilBlocked(logs);
  const { clientId } = reader;
  // A server that is made a replica does both, and the INFO behind the read is never answered.
  connection.stream.emit('data', Buffer.from('-UNBLOCKED force unblock, instance state changed\r\n'));
  connection.stream.destroy();
  expect(await waiting).toMatchObject({ code: 'REDIS_REFUSED', details: { execution: 'none' } });
  expect(reader.clientId).toBe(0);
  await eventually(() => reader.clientId > clientId);
});

test('an answer to nothing ends the connection', async ({ redis }) => {
  const { redis: connection, reader } = await takenOver(redis.url, `${redis.prefix}:reader`, () => {});
  const { clientId } = reader;
  connection.stream.emit('data', Buffer.from(':1\r\n'));
  expect(reader.isUsable).toBe(false);
  await eventually(() => reader.clientId > clientId);
});

test.for([2, 3] as const)('RESP%d', async (protocol, { logs, redis }) => {
  await logs.append('a');
  await logs.topics.addPartitions('orders', 2);
  const connection = new Redis(redis.url, { protocol, connectionName: `${redis.prefix}:reader` });
  onTestFinished(() => closeConnection(connection));
  await new Promise((resolve) => connection.once('ready', resolve));
  const reader = new ReaderConnection(connection, logs.keys);
  await reader.untilKnown();
  const server = /master_replid:(\w+)/.exec(await logs.ioredis.info('replication'))?.[1] ?? '';
  const positions = [0, 1].map((partition) => ({ ...POSITION, partition, server }));
  for (let time = 0; time < 3; time++)
    expect(await readBatches(reader, positions, NOW)).toMatchObject([
      { partition: 'orders/0', nextOffset: 1 },
    ]);
  expect(await readBatches(reader, [positions[1]!], NOW)).toEqual([]);
});

test('batches of many pieces and of one are read alike, also side by side', async ({ logs }) => {
  const values = ['x'.repeat(300_000), 'y', 'z'.repeat(70_000), ''];
  for (const value of values) await logs.append(value);
  const both = await Promise.all(
    [0, 1].map((offset) => readBatches(logs.reader, [{ ...POSITION, offset }], NOW)),
  );
  const sizes = both.map((batches) => batches.map(({ bytes }) => bytes.length));
  expect(sizes[0]?.slice(1)).toEqual(sizes[1]);
  expect(sizes[0]?.[0]).toBeGreaterThan(300_000);
  const batches = both.flat().map(({ bytes }) => bytes);
  const kept = [...new Set(batches.map(({ buffer }) => buffer))];
  const keptBytes = kept.reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(keptBytes).toBeLessThan(Buffer.concat(batches).length + 100);
});

test('what the socket brought of large batches is given back as it is read', async ({ logs, redis }) => {
  const values = Array.from({ length: 12 }, (_, index) => String.fromCharCode(97 + index).repeat(200_000));
  for (const value of values) await logs.append(value);
  const { redis: connection, reader } = await takenOver(redis.url, `${redis.prefix}:reader`, () => {});
  const pieces: { memory: ArrayBuffer; bytes: number }[] = [];
  connection.stream.prependListener('data', ({ buffer, length }: Buffer<ArrayBuffer>) =>
    pieces.push({ memory: buffer, bytes: length }),
  );
  const batches = await readBatches(reader, [POSITION], { maxEntries: 20 });
  expect(batches.map(({ bytes }) => decodeBatch(bytes)[0]?.value?.toString())).toEqual(values);
  // Full ones: how long the others are, and whether a copy pays for them, is chance.
  const full = pieces.filter(({ bytes }) => bytes === 65_536);
  expect(full.length).toBeGreaterThan(10);
  expect(full.filter(({ memory }) => !memory.detached).length).toBe(0);
});

test('hundreds of batches that share what the socket brought are read as they were appended', async ({
  logs,
  redis,
}) => {
  const values = Array.from({ length: 400 }, (_, index) => `${index} `.repeat(40 + (index % 160)));
  for (const value of values) await logs.append(value);
  const { reader } = await takenOver(redis.url, `${redis.prefix}:reader`, () => {});
  const batches = await readBatches(reader, [POSITION], { maxEntries: 1_000 });
  expect(batches.map(({ bytes }) => decodeBatch(bytes)[0]?.value?.toString())).toEqual(values);
});
