/**
 * From SIGKILL of a worker to the first record that its heir handles, default settings, the leader included; and from
 * an orderly leave to the heirs. Real processes, real Redis, records flowing into every partition all the time.
 *
 * `node test/bench/resume.ts [--kills 20] [--json]`
 */
import { parseArgs } from 'node:util';
import { connect, type Millrace } from 'millrace';
import { eventually, startProcess, startRedis, type StartedProcess } from '@millrace/testkit';
import { median } from './median.ts';
import type { FromWorker, ToWorker, WorkerSettings } from '../e2e/processes/worker.ts';

type Worker = StartedProcess<FromWorker, ToWorker>;

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } },
});
const KILLS = Number(values.kills);
const PARTITIONS = 16;
const WORKERS = 4;
const MODULE = new URL('../e2e/processes/worker.ts', import.meta.url);

await using redis = await startRedis();
await using millrace = await connect({ url: redis.url, prefix: 'bench', name: 'bench', logger: false });
await millrace.admin.createTopic('ticks', { partitions: PARTITIONS });
const stopTicking = tick(millrace);

const workers = new Set<Worker>();
let started = 0;
for (let index = 0; index < WORKERS; index++) workers.add(await start());
await settled();

const killed: { resumeMs: number; isLeader: boolean }[] = [];
for (let kill = 0; kill < KILLS; kill++) {
  // Every other one is the leader.
  const victim = await pick(kill % 2 === 0);
  const resumeMs = await measure(victim, () => victim.signal('SIGKILL'));
  killed.push({ resumeMs, isLeader: kill % 2 === 0 });
  workers.add(await start());
  await settled();
}
const left: number[] = [];
for (let leave = 0; leave < 10; leave++) {
  const leaver = await pick(leave % 2 === 0);
  left.push(
    await measure(leaver, async () => {
      await leaver.send({ type: 'close' });
    }),
  );
  await leaver.exited;
  workers.add(await start());
  await settled();
}
stopTicking();
for (const worker of workers) await worker.send({ type: 'close' });
await Promise.all([...workers].map((worker) => worker.exited));

const all = killed.map(({ resumeMs }) => resumeMs);
const result = {
  kills: KILLS,
  resumeMs: { p50: round(median(all)), max: round(Math.max(...all)) },
  leader: { p50: round(median(killed.filter((k) => k.isLeader).map((k) => k.resumeMs))) },
  follower: { p50: round(median(killed.filter((k) => !k.isLeader).map((k) => k.resumeMs))) },
  leaveMs: { p50: round(median(left)), max: round(Math.max(...left)) },
};
console.log(values.json ? JSON.stringify(result) : result);

async function start(): Promise<Worker> {
  const settings: WorkerSettings = {
    url: redis.url,
    prefix: 'bench',
    name: `w${++started}`,
    consumer: { group: 'bench', topics: ['ticks'] },
  };
  const worker = await startProcess<FromWorker, ToWorker>({
    module: MODULE,
    args: [JSON.stringify(settings)],
  });
  await worker.waitFor((message) => message.type === 'joined');
  return worker;
}

/** Every partition is handled by a living worker. */
async function settled(): Promise<void> {
  const from = new Map([...workers].map((worker) => [worker, worker.messages.length]));
  await eventually(() => {
    const seen = new Set<number>();
    for (const [worker, first] of from) {
      for (const message of worker.messages.slice(first))
        if (message.type === 'record') seen.add(message.partition);
    }
    return seen.size === PARTITIONS;
  });
}

async function pick(isLeader: boolean): Promise<Worker> {
  const answers = await Promise.all(
    [...workers].map(async (worker) => {
      const from = worker.messages.length;
      await worker.send({ type: 'ask-leader' });
      const answer = await worker.waitFor((message) => message.type === 'leader', { from });
      return { worker, isLeader: answer.type === 'leader' && answer.isLeader };
    }),
  );
  const found = answers.find((answer) => answer.isLeader === isLeader);
  if (found === undefined) throw new Error('no such worker');
  return found.worker;
}

/** Until every partition of the worker has been handled by another one: the slowest of them counts. */
async function measure(victim: Worker, end: () => Promise<void>): Promise<number> {
  const owned = new Map<number, number>();
  for (const message of victim.messages.slice(-PARTITIONS * 20)) {
    if (message.type === 'record') owned.set(message.partition, message.epoch);
  }
  const survivors = [...workers].filter((worker) => worker !== victim);
  const from = new Map(survivors.map((worker) => [worker, worker.messages.length]));
  workers.delete(victim);
  const endedMs = performance.timeOrigin + performance.now();
  await end();
  const resumed = new Map<number, number>();
  await eventually(() => {
    for (const [worker, first] of from) {
      for (const message of worker.messages.slice(first)) {
        if (message.type !== 'record' || resumed.has(message.partition)) continue;
        const epoch = owned.get(message.partition);
        if (epoch !== undefined && message.epoch > epoch) resumed.set(message.partition, message.atMs);
      }
    }
    return resumed.size === owned.size;
  });
  return Math.max(...resumed.values()) - endedMs;
}

/** One record into every partition, every 20 ms. */
function tick(client: Millrace): () => void {
  const producer = client.producer();
  const timer = setInterval(() => {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      producer.send('ticks', { partition, value: 'tick' }).catch((error: unknown) => {
        console.error(`a tick was not appended: ${String(error)}`);
      });
    }
  }, 20);
  return () => clearInterval(timer);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
