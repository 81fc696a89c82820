/**
 * Commands that an idle group sends: of every worker, all its connections together, counted on the wire. Nobody
 * produces; what is left is leases, presence, blocked reads, and the leader's and the deputies' looking.
 *
 * `node test/bench/idle-commands.ts [--workers 8] [--partitions 32] [--seconds 10] [--json]`
 */
import { parseArgs } from 'node:util';
import { connect, type Consumer, type Millrace } from 'millrace';
import { eventually, startRedis } from '@millrace/testkit';
import { Redis } from 'ioredis';
import { countCommands, type CommandCounter } from './command-counter.ts';
import { median } from './median.ts';

type Role = 'leader' | 'deputy' | 'worker';

interface Measured {
  readonly consumer: Consumer<string>;
  readonly millrace: Millrace;
  readonly counter: CommandCounter;
}

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '8' },
    partitions: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
const WORKERS = Number(values.workers);
const PARTITIONS = Number(values.partitions);
const SECONDS = Number(values.seconds);
/** Most that the goals allow. */
const GOALS: Record<Role, number> = { leader: 10, deputy: 2, worker: 2 };

await using redis = await startRedis();
const members: Measured[] = [];
for (let index = 0; index < WORKERS; index++) members.push(await start(index));
await eventually(
  () => members.reduce((sum, { consumer }) => sum + consumer.assignment().length, 0) === PARTITIONS,
);
// Everything that joins and moves is over after an audit and a heartbeat of the longest kind.
await pass(5_000);

const deputies = await readDeputies();
const before = members.map(({ counter }) => new Map(counter.byName));
const startedMs = performance.now();
await pass(SECONDS * 1_000);
const seconds = (performance.now() - startedMs) / 1_000;
const found = members.map(({ consumer, counter }, index) => {
  const commands: Record<string, number> = {};
  let total = 0;
  for (const [name, count] of counter.byName) {
    const sent = count - (before[index]?.get(name) ?? 0);
    if (sent > 0) commands[name] = sent;
    total += sent;
  }
  return { role: roleOf(consumer), perSecond: total / seconds, commands };
});

const result = (['leader', 'deputy', 'worker'] as const).map((role) => {
  const rates = found.filter((entry) => entry.role === role).map(({ perSecond }) => perSecond);
  const busiest = found
    .filter((entry) => entry.role === role)
    .toSorted((a, b) => b.perSecond - a.perSecond)[0];
  return {
    role,
    members: rates.length,
    perSecond: { median: round(median(rates)), max: round(Math.max(...rates)) },
    goal: GOALS[role],
    commandsOfTheBusiest: busiest?.commands ?? {},
  };
});
console.log(values.json ? JSON.stringify(result) : result);

for (const { millrace } of members) await millrace.close();
for (const { counter } of members) await counter[Symbol.asyncDispose]();

async function start(index: number): Promise<Measured> {
  const counter = await countCommands(redis);
  const millrace = await connect({ url: counter.url, prefix: 'idle', name: `w${index}`, logger: false });
  if (index === 0) await millrace.admin.createTopic('quiet', { partitions: PARTITIONS });
  const consumer = millrace.consumer({ group: 'idle', topics: ['quiet'] });
  await consumer.run({ eachRecord: () => {} });
  return { consumer, millrace, counter };
}

/** A rate is of a time that passes, not of a condition. */
function pass(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function readDeputies(): Promise<readonly string[]> {
  const connection = new Redis(redis.url);
  const stored = await connection.hget('idle:{idle}:state', 'deputies');
  connection.disconnect();
  return (stored ?? '').split(' ');
}

function roleOf(consumer: Consumer<string>): Role {
  if (consumer.isLeader) return 'leader';
  return deputies.includes(consumer.memberId) ? 'deputy' : 'worker';
}

function round(rate: number): number {
  return Math.round(rate * 100) / 100;
}
