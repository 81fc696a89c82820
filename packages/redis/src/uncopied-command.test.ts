/** How commands reach the socket: the same bytes as the driver's own, uncopied and in fewer writes. */
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { Command } from 'ioredis';
import { expect, test } from 'vitest';
import { UncopiedCommand } from './uncopied-command.ts';

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

/** As the driver does it. */
function send(socket: Socket, ...args: (string | number | Buffer)[]): void {
  socket.write(new UncopiedCommand('evalsha', args).toWritable(socket));
}

function asTheDriverWrites(...args: (string | number | Buffer)[]): Buffer {
  return Buffer.from(new Command('evalsha', args).toWritable({}));
}

const endOfTick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const SMALL = Buffer.from([0, 0xff, 0x0d, 0x0a, 0xc3]);

test.for([
  { what: 'bytes at the end', args: ['sha', 1, 'käse 🧀', SMALL] },
  { what: 'no bytes', args: ['sha', Buffer.alloc(0), 'ü'] },
  { what: 'bytes between text', args: ['sha', SMALL, 9_007_199_254_740_991, SMALL, 'ü'] },
  { what: 'many bytes', args: ['sha', Buffer.alloc(300_000, 0xe4), 1] },
])('$what: the bytes that the driver would write, in one write', async ({ args }) => {
  const { socket, writes } = openSocket();
  send(socket, ...args);
  await endOfTick();
  expect(writes).toHaveLength(1);
  expect(Buffer.concat(writes[0] ?? [])).toEqual(asTheDriverWrites(...args));
});

test('a large argument is not copied', async () => {
  const { socket, writes } = openSocket();
  const bytes = Buffer.alloc(100_000, 1);
  send(socket, 'sha', bytes);
  await endOfTick();
  expect(writes[0]?.[1]).toBe(bytes);
});

function sizes(...counts: readonly number[]): Buffer[] {
  return counts.map((bytes, index) => Buffer.alloc(bytes, index + 1));
}

test('commands of one tick leave in their order and one write, at its end', async () => {
  const { socket, writes } = openSocket();
  const all = sizes(10, 20, 10_000, 30);
  for (const bytes of all) send(socket, 'sha', bytes);
  expect(writes).toHaveLength(0);
  await endOfTick();
  expect(writes).toHaveLength(1);
  expect(Buffer.concat(writes.flat())).toEqual(
    Buffer.concat(all.map((bytes) => asTheDriverWrites('sha', bytes))),
  );
  // The next tick begins anew.
  send(socket, 'sha', Buffer.alloc(1));
  await endOfTick();
  expect(writes).toHaveLength(2);
});

test('a socket that somebody else holds back stays so', async () => {
  const { socket, writes } = openSocket();
  socket.cork();
  for (const bytes of sizes(10, 10_000)) send(socket, 'sha', bytes);
  await endOfTick();
  expect(writes).toHaveLength(0);
  socket.uncork();
  expect(writes).toHaveLength(1);
});
