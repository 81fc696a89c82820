/** The process that `resident-floor.ts` measures: port of a Redis and number of batches as arguments, a message as result. */
import { createConnection } from 'node:net';

/** What the producer fills by default. */
export const BATCH_BYTES = 229_248;
const BATCHES_A_READ = 4;
/** What a consumer fetches ahead. */
const HELD_BYTES = 8 * 2 ** 20;
const CHUNK_BYTES = 65_536;
const ASK = Buffer.from('*2\r\n$3\r\nGET\r\n$5\r\nbatch\r\n'.repeat(BATCHES_A_READ));
/** All answers are alike, so that there is nothing to parse. */
const HEAD_BYTES = `$${BATCH_BYTES}\r\n`.length;
const ANSWER_BYTES = HEAD_BYTES + BATCH_BYTES + 2;

/** Bytes. */
export type Highest = Record<'rss' | 'heapTotal' | 'arrayBuffers', number>;

function read(port: number, batches: number): void {
  const highest: Highest = { rss: 0, heapTotal: 0, arrayBuffers: 0 };
  const held: Buffer[] = [];
  let batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  /** Bytes of the answer under way. */
  let at = 0;
  let count = 0;

  function ask(): void {
    const memory = process.memoryUsage();
    for (const name of ['rss', 'heapTotal', 'arrayBuffers'] as const)
      highest[name] = Math.max(highest[name], memory[name]);
    if (count < batches) {
      socket.write(ASK);
      return;
    }
    process.send?.(highest);
    process.disconnect?.();
    socket.destroy();
  }

  function take(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length;) {
      const ends =
        [HEAD_BYTES, HEAD_BYTES + BATCH_BYTES, ANSWER_BYTES].find((end) => at < end) ?? ANSWER_BYTES;
      const bytes = Math.min(ends - at, chunk.length - from);
      if (ends === HEAD_BYTES + BATCH_BYTES) batch.set(chunk.subarray(from, from + bytes), at - HEAD_BYTES);
      from += bytes;
      at += bytes;
      if (at < ANSWER_BYTES) continue;
      at = 0;
      held.push(batch);
      if (held.length * BATCH_BYTES > HELD_BYTES) held.shift();
      batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
      if (++count % BATCHES_A_READ === 0) setImmediate(ask);
    }
  }

  const socket = createConnection({
    host: '127.0.0.1',
    port,
    // The same memory for every read.
    onread: {
      buffer: Buffer.allocUnsafeSlow(CHUNK_BYTES),
      callback(bytes, chunk) {
        take(chunk.subarray(0, bytes));
        return true;
      },
    },
  });
  socket.once('connect', ask);
}

if (process.send !== undefined) read(Number(process.argv[2]), Number(process.argv[3]));
