/**
 * One consumer on all partitions of a topic in a cluster of three: how long a lone record takes from `send` to its handler,
 * what the consumer's reading costs while nothing comes, and on how many connections. Beyond 32 slots that wait, they
 * take turns.
 *
 * `node test/bench/cluster-reads.ts [--partitions 30,100,300] [--records 300] [--json]`
 */
import { parseArgs } from 'node:util';
import { eventually, startCluster } from '@millrace/testkit';
import { connect } from 'millrace';

const { values } = parseArgs({
  options: {
    partitions: { type: 'string', default: '30,100,300' },
    records: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
  },
});
const RECORDS = Number(values.records);
const IDLE_MS = 5_000;

await using topology = await startCluster();
for (const partitions of values.partitions.split(',').map(Number)) {
  const result = await measure(partitions);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else console.table([result]);
}

async function measure(partitions: number) {
  await using millrace = await connect({
    cluster: { seeds: topology.connection.seeds },
    prefix: `p${partitions}`,
    name: 'bench',
    logger: false,
  });
  await millrace.admin.createTopic('orders', { partitions });
  let onValue = (): void => {};
  await using consumer = millrace.consumer({ group: 'billing', topics: ['orders'] });
  await consumer.run({ eachRecord: () => onValue() });
  await eventually(() => consumer.assignment().length === partitions);
  await using producer = millrace.producer();
  const latenciesMs: number[] = [];
  for (let index = 0; index < RECORDS; index++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    onValue = resolve;
    const sentMs = performance.now();
    await producer.send('orders', { partition: (index * 7) % partitions, value: 'x' });
    await promise;
    latenciesMs.push(performance.now() - sentMs);
  }
  latenciesMs.sort((a, b) => a - b);
  const before = await xreads();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const idle = ((await xreads()) - before) / (IDLE_MS / 1_000);
  return {
    partitions,
    p50Ms: at(latenciesMs, 0.5),
    p99Ms: at(latenciesMs, 0.99),
    xreadsPerSecondIdle: Math.round(idle),
    readerConnections: await readers(`p${partitions}:bench:reader`),
  };
}

function at(sorted: readonly number[], part: number): number {
  return Number((sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(2));
}

async function xreads(): Promise<number> {
  const stats = await Promise.all(topology.nodes.map((node) => node.admin.info('commandstats')));
  return stats.reduce((sum, text) => sum + Number(/cmdstat_xread:calls=(\d+)/.exec(text)?.[1] ?? 0), 0);
}

async function readers(name: string): Promise<number> {
  const lists = await Promise.all(topology.nodes.map((node) => node.admin.client('LIST')));
  return lists.join('').split(`name=${name} `).length - 1;
}
