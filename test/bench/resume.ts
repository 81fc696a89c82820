/**
 * From SIGKILL of a worker to the first record that its heirs handle, default settings, the leader included; and from
 * an orderly leave to the heirs, with what was handled twice because of it. Real processes, real Redis, records flowing
 * into every partition all the time. Of each departure the slowest partition counts.
 *
 * `node test/bench/resume.ts [--kills 20] [--leaves 10] [--json]`
 */
import { parseArgs } from 'node:util';
import { connect } from 'millrace';
import { eventually, startRedis } from '@millrace/testkit';
import {
  closeWorker,
  findDisorder,
  findLeader,
  handled,
  handledByAll,
  startWorker,
  type Worker,
} from '../e2e/fleet.ts';
import { median } from './median.ts';
import { tickEverywhere, untilAllRun } from './ticks.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    leaves: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
const PARTITIONS = 16;
const WORKERS = 4;
const TICK_MS = 20;

await using redis = await startRedis();
await using millrace = await connect({ url: redis.url, prefix: 'bench', name: 'bench', logger: false });
await millrace.admin.createTopic('ticks', { partitions: PARTITIONS });
const stopTicking = tickEverywhere(millrace, 'ticks', PARTITIONS, TICK_MS);

const everybody: Worker[] = [];
const workers = new Set<Worker>();
for (let index = 0; index < WORKERS; index++) await join();

const killed: { resumeMs: number; wasLeader: boolean }[] = [];
for (let kill = 0; kill < Number(values.kills); kill++) {
  // Every other one is the leader.
  const wasLeader = kill % 2 === 0;
  const victim = await pick(wasLeader);
  killed.push({ resumeMs: await measure(victim, () => victim.signal('SIGKILL')), wasLeader });
  await join();
}
const left: number[] = [];
let redelivered = 0;
for (let leave = 0; leave < Number(values.leaves); leave++) {
  const before = repeated();
  const leaver = await pick(leave % 2 === 0);
  left.push(await measure(leaver, () => closeWorker(leaver)));
  redelivered += repeated() - before;
  await join();
}
stopTicking();
for (const worker of workers) await closeWorker(worker);

const all = killed.map(({ resumeMs }) => resumeMs);
const result = {
  kills: all.length,
  resumeMs: { p50: round(median(all)), max: round(Math.max(...all)) },
  ofLeaders: { p50: round(median(killed.filter((kill) => kill.wasLeader).map((kill) => kill.resumeMs))) },
  ofOthers: { p50: round(median(killed.filter((kill) => !kill.wasLeader).map((kill) => kill.resumeMs))) },
  leaves: left.length,
  leaveMs: { p50: round(median(left)), max: round(Math.max(...left)) },
  redeliveredByLeaves: redelivered,
  disorder: findDisorder(handledByAll(everybody)),
};
console.log(values.json ? JSON.stringify(result) : result);

async function join(): Promise<void> {
  const worker = await startWorker({
    url: redis.url,
    prefix: 'bench',
    name: `w${everybody.length + 1}`,
    consumer: { group: 'bench', topics: ['ticks'] },
  });
  everybody.push(worker);
  workers.add(worker);
  await untilAllRun([...workers], PARTITIONS);
}

async function pick(isLeader: boolean): Promise<Worker> {
  const { leader, followers } = await findLeader([...workers]);
  const [follower = leader] = followers;
  return isLeader ? leader : follower;
}

async function measure(leaver: Worker, end: () => Promise<unknown>): Promise<number> {
  const owned = new Map<number, number>();
  for (const { partition, epoch } of handled(leaver, -PARTITIONS * 20)) owned.set(partition, epoch);
  workers.delete(leaver);
  const from = new Map([...workers].map((worker) => [worker, worker.messages.length]));
  const endedMs = performance.timeOrigin + performance.now();
  const ended = end();
  const resumedMs = new Map<number, number>();
  await eventually(
    () => {
      for (const [worker, first] of from) {
        for (const { partition, epoch, atMs } of handled(worker, first)) {
          const before = owned.get(partition);
          if (before !== undefined && epoch > before && !resumedMs.has(partition))
            resumedMs.set(partition, atMs);
        }
      }
      return resumedMs.size === owned.size;
    },
    { timeoutMs: 40_000 },
  );
  await ended;
  return Math.max(...resumedMs.values()) - endedMs;
}

/** Records that were handled more than once so far. */
function repeated(): number {
  const records = everybody.flatMap((worker) => handled(worker));
  return records.length - new Set(records.map(({ partition, offset }) => `${partition}@${offset}`)).size;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
