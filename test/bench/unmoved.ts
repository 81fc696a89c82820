/**
 * Partitions that do not move are not paused: the longest delay from append to handler of one partition, handled by one
 * owner all the time, while members join and leave, against the same in a quiet time of the same length. Delays and not
 * pauses between records, because what feeds them pauses as well on a busy machine. The guests are in this process:
 * starting one would cost the owners their processor.
 *
 * `node test/bench/unmoved.ts [--rebalances 40] [--json]`
 */
import { parseArgs } from 'node:util';
import { connect } from 'millrace';
import { eventually, startRedis } from '@millrace/testkit';
import { closeWorker, handled, startWorker, type Worker } from '../e2e/fleet.ts';
import { median } from './median.ts';
import { tickEverywhere, untilAllRun } from './ticks.ts';

const { values } = parseArgs({
  options: { rebalances: { type: 'string', default: '40' }, json: { type: 'boolean', default: false } },
});
const REBALANCES = Number(values.rebalances);
const PARTITIONS = 16;
const TICK_MS = 10;

await using redis = await startRedis();
await using millrace = await connect({ url: redis.url, prefix: 'bench', name: 'bench', logger: false });
await millrace.admin.createTopic('ticks', { partitions: PARTITIONS });
const stopTicking = tickEverywhere(millrace, 'ticks', PARTITIONS, TICK_MS);
const stayers: Worker[] = [await start('a'), await start('b'), await start('c')];
await untilAllRun(stayers, PARTITIONS);

const busyFromMs = nowMs();
let moved = 0;
for (let rebalance = 0; rebalance < REBALANCES; rebalance += 2) {
  const guest = millrace.consumer({ group: 'bench', topics: ['ticks'] });
  await guest.run({ eachRecord: () => {} });
  await eventually(() => guest.assignment().length === PARTITIONS / (stayers.length + 1), {
    timeoutMs: 40_000,
  });
  moved += 2 * guest.assignment().length;
  await guest.close();
  await untilAllRun(stayers, PARTITIONS);
}
const busyToMs = nowMs();
const quietMs = busyToMs - busyFromMs;
await new Promise((resolve) => {
  setTimeout(resolve, quietMs);
});
stopTicking();

const busy = longestDelays(busyFromMs, busyToMs);
const quiet = longestDelays(busyToMs, busyToMs + quietMs);
const result = {
  rebalances: REBALANCES,
  secondsEach: Math.round(quietMs / 1000),
  partitionsMoved: moved,
  neverMoved: busy.length,
  longestDelayMs: {
    duringRebalances: { p50: round(median(busy)), max: round(Math.max(...busy)) },
    quiet: { p50: round(median(quiet)), max: round(Math.max(...quiet)) },
  },
  ratioOfMedians: round(median(busy) / median(quiet)),
};
for (const worker of stayers) await closeWorker(worker);
console.log(values.json ? JSON.stringify(result) : result);

function start(name: string): Promise<Worker> {
  return startWorker({
    url: redis.url,
    prefix: 'bench',
    name,
    consumer: { group: 'bench', topics: ['ticks'] },
  });
}

/** Of every ownership that covers the whole time: the longest delay of one of its records. */
function longestDelays(fromMs: number, toMs: number): number[] {
  const longest: number[] = [];
  for (const worker of stayers) {
    const records = handled(worker).filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
    for (const list of Map.groupBy(records, ({ partition, epoch }) => `${partition} ${epoch}`).values()) {
      // It came or went in between: that one did move.
      if ((list.at(0)?.atMs ?? toMs) > fromMs + 500 || (list.at(-1)?.atMs ?? fromMs) < toMs - 500) continue;
      longest.push(Math.max(...list.map(({ atMs, value }) => atMs - Number(value))));
    }
  }
  return longest;
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
