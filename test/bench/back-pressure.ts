/**
 * A producer that outruns Redis: Redis is stopped, 100,000 sends are made, and it is let go again. Prints the memory of
 * the process before, during and after, and checks that every record was stored once and in the order of the sends.
 *
 * What is bounded: encoded records (`maxBufferedBytes`). What is not: the promises of sends that nobody awaits, and the
 * records that the caller hands over with them. A caller that awaits its sends, or `sendBatch`, has only as many of
 * these as it has calls. The same value in every record here, so that what grows is what Millrace keeps for a call.
 *
 * `node test/bench/back-pressure.ts [--sends 100000] [--value-bytes 1000] [--max-buffered-bytes 8388608] [--json]`
 */
import { parseArgs } from 'node:util';
import { createKeys, decodeBatch, openReader, readBatches } from '@millrace/redis';
import { startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { connect } from 'millrace';

const { values: options } = parseArgs({
  options: {
    sends: { type: 'string', default: '100000' },
    'value-bytes': { type: 'string', default: '1000' },
    'max-buffered-bytes': { type: 'string', default: '8388608' },
    json: { type: 'boolean', default: false },
  },
});
const SENDS = Number(options.sends);
const VALUE = Buffer.alloc(Number(options['value-bytes']), 'x');
const MAX_BUFFERED_BYTES = Number(options['max-buffered-bytes']);
/** Below the 10 seconds after which a silent connection is given up: waiting is measured, and not reconnecting. */
const STOPPED_MS = 3_000;

await using server = await startRedis({ directives: { appendonly: 'no' } });
const redis = new Redis(server.url);
const millrace = await connect({ url: server.url, prefix: 'bench', name: 'bench', logger: false });
await millrace.admin.createTopic('records', { partitions: 1 });
const producer = millrace.producer({ maxBufferedBytes: MAX_BUFFERED_BYTES });
await producer.send('records', { key: 'warm', value: VALUE });

function memoryMiB(): { readonly rss: number; readonly heap: number; readonly buffers: number } {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const inMiB = (bytes: number): number => Math.round(bytes / 1_048_576);
  return { rss: inMiB(rss), heap: inMiB(heapUsed), buffers: inMiB(arrayBuffers) };
}

const before = memoryMiB();
await server.signal('SIGSTOP');
let stored = 0;
const sends: Promise<unknown>[] = [];
for (let index = 0; index < SENDS; index++) {
  sends.push(producer.send('records', { key: String(index), value: VALUE }).then(() => stored++));
  if (index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
}
await new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
const during = memoryMiB();
const storedWhileStopped = stored;
await server.signal('SIGCONT');
await Promise.all(sends);
const after = memoryMiB();

const reader = await openReader({ url: server.url, connectTimeoutMs: 5_000 }, createKeys('bench'), 'reader');
let expected = -1;
for (let offset = 0; offset <= SENDS;) {
  const position = { topic: 'records', partition: 0, offset };
  const [batch] = await readBatches(reader, [position], { maxEntries: 1 });
  if (batch === undefined) throw new Error(`${SENDS + 1 - offset} records are missing`);
  for (const { key } of decodeBatch(batch.bytes, offset)) {
    const wanted = expected === -1 ? 'warm' : String(expected);
    if (key?.toString() !== wanted) throw new Error(`${key?.toString()} instead of ${wanted}`);
    expected++;
  }
  offset = batch.nextOffset;
}
await millrace.close();
redis.disconnect();
if (storedWhileStopped > 0) throw new Error(`${storedWhileStopped} records were stored by a stopped Redis`);
// Twice: the driver's copies of what is in flight come to the encoded records.
if ((during.buffers - before.buffers) * 1_048_576 > 2 * MAX_BUFFERED_BYTES)
  throw new Error(`buffers grew by ${during.buffers - before.buffers} MiB`);

if (options.json)
  console.log(JSON.stringify({ sends: SENDS, valueBytes: VALUE.length, before, during, after }));
else {
  console.log(`${SENDS} sends of ${VALUE.length} bytes to a stopped Redis, all stored once and in order`);
  for (const [when, { rss, heap, buffers }] of Object.entries({ before, during, after }))
    console.log(`${when.padEnd(8)} RSS ${rss} MiB, heap ${heap} MiB, buffers ${buffers} MiB`);
}
