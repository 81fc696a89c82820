/**
 * Partitions that do not move are not paused: the longest gap between two records of one partition, handled by one
 * owner all the time, while members join and leave, against the same in a quiet time of the same length.
 *
 * `node test/bench/unmoved.ts [--rebalances 20] [--json]`
 */
import { parseArgs } from 'node:util';
import { connect } from 'millrace';
import { eventually, startRedis } from '@millrace/testkit';
import { closeWorker, handled, startWorker, type Worker } from '../e2e/fleet.ts';
import { median } from './median.ts';
import { tickEverywhere, untilAllRun } from './ticks.ts';

const { values } = parseArgs({
  options: { rebalances: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } },
});
const REBALANCES = Number(values.rebalances);
const PARTITIONS = 16;
const TICK_MS = 10;

await using redis = await startRedis();
await using millrace = await connect({ url: redis.url, prefix: 'bench', name: 'bench', logger: false });
await millrace.admin.createTopic('ticks', { partitions: PARTITIONS });
const stopTicking = tickEverywhere(millrace, 'ticks', PARTITIONS, TICK_MS);
let started = 0;
const stayers: Worker[] = [await start(), await start(), await start()];
await untilAllRun(stayers, PARTITIONS);

const busyFromMs = nowMs();
let moved = 0;
for (let rebalance = 0; rebalance < REBALANCES; rebalance += 2) {
  const guest = await start();
  await eventually(() => partitionsOf(guest).size === PARTITIONS / (stayers.length + 1), {
    timeoutMs: 40_000,
  });
  moved += partitionsOf(guest).size;
  await closeWorker(guest);
  await untilAllRun(stayers, PARTITIONS);
}
const busyToMs = nowMs();
const quietMs = busyToMs - busyFromMs;
await new Promise((resolve) => {
  setTimeout(resolve, quietMs);
});
stopTicking();

const busy = longestGaps(busyFromMs, busyToMs);
const quiet = longestGaps(busyToMs, busyToMs + quietMs);
const result = {
  rebalances: REBALANCES,
  secondsEach: Math.round(quietMs / 1000),
  partitionsMoved: moved * 2,
  longestGapMs: {
    duringRebalances: { p50: round(median(busy)), max: round(Math.max(...busy)) },
    quiet: { p50: round(median(quiet)), max: round(Math.max(...quiet)) },
  },
  ratioOfMedians: round(median(busy) / median(quiet)),
};
for (const worker of stayers) await closeWorker(worker);
console.log(values.json ? JSON.stringify(result) : result);

function partitionsOf(worker: Worker): Set<number> {
  return new Set(handled(worker).map(({ partition }) => partition));
}

function start(): Promise<Worker> {
  return startWorker({
    url: redis.url,
    prefix: 'bench',
    name: `w${++started}`,
    consumer: { group: 'bench', topics: ['ticks'] },
  });
}

/** Per ownership that covers the whole time: the longest pause between two of its records. */
function longestGaps(fromMs: number, toMs: number): number[] {
  const gaps: number[] = [];
  for (const worker of stayers) {
    const records = handled(worker).filter(({ atMs }) => atMs >= fromMs - 500 && atMs <= toMs);
    const ownerships = Map.groupBy(records, ({ partition, epoch }) => `${partition} ${epoch}`);
    for (const list of ownerships.values()) {
      const first = list.at(0);
      const last = list.at(-1);
      // It came or went in between: that one did move.
      if (first === undefined || last === undefined) continue;
      if (first.atMs > fromMs + 200 || last.atMs < toMs - 200) continue;
      let longest = 0;
      list.forEach(({ atMs }, index) => {
        longest = Math.max(longest, atMs - (list[index - 1]?.atMs ?? atMs));
      });
      gaps.push(longest);
    }
  }
  return gaps;
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
