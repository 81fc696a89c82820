import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { gatherWrites } from './gather-writes.ts';

/** What each system call would write. */
function recorder(): { readonly stream: Writable; readonly writes: string[] } {
  const writes: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      writes.push(chunk);
      done();
    },
    writev(chunks: { chunk: string }[], done) {
      writes.push(chunks.map(({ chunk }) => chunk).join(''));
      done();
    },
  });
  return { stream, writes };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('commands of several ticks of one turn leave in one write, those of the next in another', async () => {
  const { stream, writes } = recorder();
  for (const command of ['a', 'b', 'c']) {
    await new Promise<void>((resolve) => process.nextTick(resolve));
    gatherWrites({ stream });
    stream.write(command);
  }
  expect(writes).toEqual([]);
  await nextTurn();
  expect(writes).toEqual(['abc']);
  gatherWrites({ stream });
  stream.write('d');
  await nextTurn();
  expect(writes).toEqual(['abc', 'd']);
  expect(stream.writableCorked).toBe(0);
});

test('a connection without a stream is left as it is', () => {
  expect(() => gatherWrites({})).not.toThrow();
});
