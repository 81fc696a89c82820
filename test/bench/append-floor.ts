/**
 * What the size of an append costs when nothing but the bytes is paid for: the same bytes by plain `XADD` from one bare
 * socket, without a driver, a script or a record, once in entries as a bulk load over 1,024 partitions makes them and once as
 * one over 16 does. By turns on one server; docs/performance.md draws the conclusion.
 *
 * `node test/bench/append-floor.ts [--many 210] [--few 1103] [--mib 512] [--rounds 5] [--json]`: records an entry, of 207 bytes each;
 * `profile-producer.ts` prints how many they are.
 */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { median } from './median.ts';

const { values: options } = parseArgs({
  options: {
    many: { type: 'string', default: '210' },
    few: { type: 'string', default: '1103' },
    mib: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const RECORD_BYTES = 207;
/** As much as the product has in flight at most before it waits for an answer. */
const IN_FLIGHT_BYTES = 2 ** 21;
const BYTES = Number(options.mib) * 2 ** 20;

interface Load {
  readonly streams: number;
  readonly entryBytes: number;
}

const LOADS: Readonly<Record<'many' | 'few', Load>> = {
  many: { streams: 1_024, entryBytes: Number(options.many) * RECORD_BYTES },
  few: { streams: 16, entryBytes: Number(options.few) * RECORD_BYTES },
};

await using server = await startRedis({ directives: { appendonly: 'no' } });
const redis = new Redis(server.url);
const socket = createConnection({ host: '127.0.0.1', port: server.port });
await once(socket, 'connect');

/** An answer is an id, a bulk string of two lines: answers are counted by their line ends. */
function append(to: Socket, { streams, entryBytes }: Load): Promise<void> {
  const entries = Math.floor(BYTES / entryBytes);
  const batch = Buffer.alloc(entryBytes, 'x');
  const heads = Array.from({ length: streams }, (_, stream) => {
    const key = `plain:${stream}`;
    return Buffer.from(
      `*5\r\n$4\r\nXADD\r\n$${key.length}\r\n${key}\r\n$1\r\n*\r\n$1\r\nb\r\n$${entryBytes}\r\n`,
    );
  });
  const tail = Buffer.from('\r\n');
  const linesOfAnAnswer = 2;
  let [sent, lines] = [0, 0];
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      if (chunk[0] === 0x2d) reject(new Error(chunk.toString('latin1', 0, 200)));
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
      if (lines < entries * linesOfAnAnswer) {
        fill();
        return;
      }
      to.off('data', onData);
      resolve();
    };
    const fill = (): void => {
      to.cork();
      while (sent < entries && (sent - lines / linesOfAnAnswer) * entryBytes < IN_FLIGHT_BYTES) {
        to.write(heads[sent % streams] ?? tail);
        to.write(batch);
        to.write(tail);
        sent++;
      }
      to.uncork();
    };
    to.on('data', onData);
    fill();
  });
}

async function redisCpuNs(): Promise<number> {
  const books = await redis.info('cpu');
  const seconds = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(books)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e9;
}

/** For a record, as many bytes as one of the bench takes. */
async function measure(load: Load) {
  await redis.flushall();
  const [redisNs, usage, startedMs] = [await redisCpuNs(), process.cpuUsage(), performance.now()];
  await append(socket, load);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(usage);
  const records = BYTES / RECORD_BYTES;
  return {
    recordsPerS: records / seconds,
    clientNs: ((user + system) * 1_000) / records,
    redisNs: ((await redisCpuNs()) - redisNs) / records,
  };
}

type Figures = Awaited<ReturnType<typeof measure>>;
const found: Record<'many' | 'few', Figures[]> = { many: [], few: [] };
for (let round = 0; round <= Number(options.rounds); round++)
  for (const name of ['many', 'few'] as const) {
    const figures = await measure(LOADS[name]);
    if (round > 0) found[name].push(figures);
  }
const medians = (figures: readonly Figures[]) => ({
  recordsPerS: Math.round(median(figures.map(({ recordsPerS }) => recordsPerS))),
  clientNs: Math.round(median(figures.map(({ clientNs }) => clientNs))),
  redisNs: Math.round(median(figures.map(({ redisNs }) => redisNs))),
});
const [many, few] = [medians(found.many), medians(found.few)];
const result = { many, few, ratio: Number((many.recordsPerS / few.recordsPerS).toFixed(3)) };
console.log(options.json ? JSON.stringify({ ...options, ...result, rounds: found }) : result);
socket.destroy();
redis.disconnect();
