/** How appends reach the socket: the same bytes as the driver's own, a large batch uncopied, and in fewer writes. */
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { Command } from 'ioredis';
import { expect, test } from 'vitest';
import { APPEND } from '../generated/lua.ts';
import { createKeys } from '../keys.ts';
import type { AppendRequest } from './append-batch.ts';
import { AppendCommand } from './append-command.ts';

/** What reaches the operating system, write by write, each as the parts it is made of. */
function openSocket(): { socket: Socket; writes: (readonly Buffer[])[] } {
  const writes: (readonly Buffer[])[] = [];
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push([chunk]);
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => chunk as Buffer));
      done();
    },
  });
  return { socket: socket as unknown as Socket, writes };
}

const keys = createKeys('käse 🧀');

function append(overrides: Partial<AppendRequest> = {}): AppendRequest {
  return {
    topic: 'orders',
    partition: 0,
    producerId: 'producer-1',
    producerEpoch: 0,
    sequence: 0,
    recordCount: 1,
    batch: Buffer.from([0, 0xff, 0x0d, 0x0a, 0xc3]),
    ...overrides,
  };
}

/** As the driver does it. */
function send(socket: Socket, request: AppendRequest): void {
  socket.write(new AppendCommand(keys, request).toWritable(socket));
}

function asTheDriverWrites(request: AppendRequest): Buffer {
  const { log, state, producers, producerTimes } = keys.partition(request.topic, request.partition);
  const { producerId, producerEpoch, sequence, recordCount, batch } = request;
  const tail = [producerId, producerEpoch, sequence, recordCount, Buffer.from(batch)];
  const command = new Command('evalsha', [APPEND.sha1, 4, log, state, producers, producerTimes, ...tail]);
  return Buffer.from(command.toWritable({}));
}

const endOfTick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test.for([
  { what: 'a small batch', request: append() },
  { what: 'a view that is no Buffer', request: append({ batch: new Uint8Array([1, 2, 3, 4]).subarray(1) }) },
  { what: 'an empty batch', request: append({ batch: Buffer.alloc(0) }) },
  { what: 'a batch that is just copied', request: append({ batch: Buffer.alloc(2_048, 0xe4) }) },
  { what: 'one byte more', request: append({ batch: Buffer.alloc(2_049, 0xe4) }) },
  { what: 'a large batch', request: append({ batch: Buffer.alloc(300_000, 0xe4) }) },
  { what: 'an id that is not ASCII', request: append({ producerId: 'käse 🧀' }) },
  { what: 'large numbers', request: append({ producerEpoch: 12_345, sequence: 9_007_199_254_740_991 }) },
  { what: 'another partition', request: append({ topic: 'a', partition: 1_023, recordCount: 10_000 }) },
])('$what: the bytes that the driver would write, in one write', async ({ request }) => {
  const { socket, writes } = openSocket();
  send(socket, request);
  await endOfTick();
  expect(writes).toHaveLength(1);
  expect(Buffer.concat(writes[0] ?? [])).toEqual(asTheDriverWrites(request));
});

test('a large batch is not copied', async () => {
  const { socket, writes } = openSocket();
  const batch = Buffer.alloc(100_000, 1);
  send(socket, append({ batch }));
  await endOfTick();
  expect(writes[0]?.[1]).toBe(batch);
});

test('a small one is a single part', async () => {
  const { socket, writes } = openSocket();
  send(socket, append());
  await endOfTick();
  expect(writes[0]).toHaveLength(1);
});

function appends(...sizes: readonly number[]): AppendRequest[] {
  return sizes.map((bytes, index) => append({ partition: index, batch: Buffer.alloc(bytes, index + 1) }));
}

test('appends of one tick leave in their order and one write, at its end', async () => {
  const { socket, writes } = openSocket();
  const all = appends(10, 20, 10_000, 30);
  for (const request of all) send(socket, request);
  expect(writes).toHaveLength(0);
  await endOfTick();
  expect(writes).toHaveLength(1);
  expect(Buffer.concat(writes.flat())).toEqual(Buffer.concat(all.map(asTheDriverWrites)));
  // The next tick begins anew.
  send(socket, append());
  await endOfTick();
  expect(writes).toHaveLength(2);
});

test('appends that one reply sets off leave in one write', async () => {
  const { socket, writes } = openSocket();
  const { promise: reply, resolve } = Promise.withResolvers<void>();
  // As far from the reply as the driver, the log and the sender put each of them.
  for (const request of appends(10, 20, 30)) {
    void reply
      .then(() => {})
      .then(() => {})
      .then(() => send(socket, request));
  }
  resolve();
  await endOfTick();
  expect(writes).toHaveLength(1);
});

test('a socket that somebody else holds back stays so', async () => {
  const { socket, writes } = openSocket();
  socket.cork();
  for (const request of appends(10, 10_000)) send(socket, request);
  await endOfTick();
  expect(writes).toHaveLength(0);
  socket.uncork();
  expect(writes).toHaveLength(1);
});

test("a cluster's client finds the partition's slot", () => {
  const command = new AppendCommand(keys, append({ topic: 'a', partition: 7 }));
  expect(command.getKeys()).toEqual([keys.partition('a', 7).log]);
  expect(command.getSlot()).toBe(new Command('get', [keys.partition('a', 7).state]).getSlot());
});
