/**
 * What a record costs that is sent alone, once a millisecond: the time until it is acknowledged, step by step from an empty
 * command to `send`, and what Redis itself spends on it. At that pace caches are cold on both sides: a command costs
 * several times as much as under load.
 *
 * `node test/bench/lone-send.ts [--calls 2000] [--json]`
 */
import { parseArgs } from 'node:util';
import { startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { connect } from 'millrace';
import { median } from './median.ts';

const { values: options } = parseArgs({
  options: { calls: { type: 'string', default: '2000' }, json: { type: 'boolean', default: false } },
});
const CALLS = Number(options.calls);
/** The first calls warm the code up. */
const WARM = Math.ceil(CALLS / 4);
const VALUE = Buffer.alloc(200, 'x');

await using server = await startRedis({ directives: { appendonly: 'no' } });
const redis = new Redis(server.url);
await using millrace = await connect({ url: server.url, prefix: 'bench', logger: false });
await millrace.admin.createTopic('lone', { partitions: 1 });
const producer = millrace.producer();
const empty = (await redis.script('LOAD', 'return 1')) as string;

const steps: readonly { name: string; command: string; call: () => Promise<unknown> }[] = [
  { name: 'PING', command: 'ping', call: () => redis.ping() },
  { name: 'XADD', command: 'xadd', call: () => redis.xadd('plain', '*', 'v', VALUE) },
  { name: 'EVALSHA of an empty script', command: 'evalsha', call: () => redis.evalsha(empty, 0) },
  { name: 'send', command: 'evalsha', call: () => producer.send('lone', { value: VALUE }) },
];

/** Microseconds that the server spent on a call of the command, from its own books. */
async function serverUs(command: string): Promise<number> {
  const books = await redis.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:.*?usec_per_call=([\\d.]+)`).exec(books)?.[1]);
}

const figures = [];
for (const { name, command, call } of steps) {
  const us: number[] = [];
  for (let index = 0; index < WARM + CALLS; index++) {
    if (index === WARM) await redis.config('RESETSTAT');
    await new Promise((resolve) => setTimeout(resolve, 1));
    const startMs = performance.now();
    await call();
    if (index >= WARM) us.push((performance.now() - startMs) * 1_000);
  }
  figures.push({ name, roundTripUs: Math.round(median(us)), serverUs: await serverUs(command) });
}
redis.disconnect();
if (options.json) console.log(JSON.stringify(figures));
else console.table(figures);
