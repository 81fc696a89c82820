/**
 * How small a process can be that reads batches at full speed and gives each of them memory of its own, as everybody must
 * whose handlers may keep what they are given: one bare socket, no driver, nothing decoded, 8 MiB held. What it takes
 * beyond Node itself is what V8 lets pile up before it collects; docs/performance.md draws the conclusion.
 *
 * `node test/bench/resident-floor.ts [--batches 12000] [--runs 3] [--json]`
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { median } from './median.ts';
import { BATCH_BYTES, type Highest } from './run/bare-reader.ts';

const { values: options } = parseArgs({
  options: {
    batches: { type: 'string', default: '12000' },
    runs: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});

await using server = await startRedis({ directives: { appendonly: 'no' } });
const redis = new Redis(server.url);
await redis.set('batch', Buffer.alloc(BATCH_BYTES, 'x'));
redis.disconnect();

const runs: Highest[] = [];
for (let run = 0; run < Number(options.runs); run++) {
  // A process of its own: what this one has loaded is not to count.
  const reader = fork(new URL('run/bare-reader.ts', import.meta.url), [`${server.port}`, options.batches]);
  const [highest] = (await once(reader, 'message')) as [Highest];
  runs.push(highest);
}
const inMiB = (pick: (highest: Highest) => number): number => Math.round(median(runs.map(pick)) / 2 ** 20);
const medians = {
  rssMiB: inMiB(({ rss }) => rss),
  heapMiB: inMiB(({ heapTotal }) => heapTotal),
  arrayBuffersMiB: inMiB(({ arrayBuffers }) => arrayBuffers),
};
if (options.json) console.log(JSON.stringify({ ...options, medians, runs }));
else console.log(medians);
