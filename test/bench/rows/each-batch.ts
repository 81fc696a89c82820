/** Consuming in batches: `eachBatch` against `XREADGROUP` with `XACK`, a BullMQ worker, and NATS JetStream. */
import type { BullMq } from '../peers/bullmq.ts';
import type { IoredisConsumer } from '../peers/ioredis-consumer.ts';
import type { Nats } from '../peers/nats.ts';
import { provideNats } from '../peers/provide-nats.ts';
import { compareTurns, withoutFigure, type BenchRow, type CompareOptions } from '../report/row.ts';
import type { Bench } from '../run/bench.ts';
import { startSide } from '../run/side-process.ts';
import { costsOf, recordsPerSecond, takeTurns, type Contestant } from '../run/take-turns.ts';
import { fillStreams, fillTopic, MILLRACE_CONSUMER, openConsumer, PARTITIONS, zeros } from './fixture.ts';
import type { RowDefinition } from './row-definition.ts';

export const GROUP_READ = { count: 1_000, readers: 2 } as const;
const WORKER_CONCURRENCY = 100;
const JETSTREAM = { maxMessages: 10_000, ackEvery: 500 };

/** A peer that has joined in, or why it has not. */
interface Entrant {
  readonly comparison: Omit<CompareOptions, 'settings' | 'unit' | 'costs'>;
  readonly settings: string;
  readonly contestant: Contestant | { readonly missing: string; readonly name: string };
}

export const eachBatch: RowDefinition = {
  id: 'each-batch',
  title: 'eachBatch and commit',
  steps: ({ rounds, peers }) => (rounds + 1) * (1 + peers.size),
  async run(bench) {
    await using processes = new AsyncDisposableStack();
    const records = bench.count(1_000_000);
    const ends = await fillTopic(bench, { topic: 'batches', partitions: PARTITIONS, records });
    const millrace = processes.use(
      await openConsumer(bench, {
        topic: 'batches',
        partitions: PARTITIONS,
        groups: ['batches'],
        handler: 'eachBatch',
      }),
    );
    const entrants: Entrant[] = [];
    if (bench.peers.has('ioredis')) entrants.push(await plainGroup(bench, processes));
    if (bench.peers.has('bullmq')) entrants.push(await bullWorker(bench, processes));
    if (bench.peers.has('nats')) entrants.push(await jetStream(bench, processes));
    const contestants = entrants.flatMap(({ contestant }) => ('missing' in contestant ? [] : [contestant]));
    const samples = await takeTurns(bench, 'each-batch', [
      { name: 'millrace', measure: () => millrace.call('pass', { from: zeros(PARTITIONS), to: ends }) },
      ...contestants,
    ]);
    const values = (name: string): number[] => recordsPerSecond(samples[name] ?? []);
    return entrants.map(({ comparison, settings, contestant }): BenchRow => {
      const { name } = contestant;
      const options: CompareOptions = {
        ...comparison,
        unit: 'records/s',
        // What a server other than Redis pays is not known here.
        costs: costsOf(samples, 'millrace', ...(name === 'nats' ? [] : [name])),
        settings: { millrace: MILLRACE_CONSUMER, [name]: settings },
      };
      return 'missing' in contestant
        ? withoutFigure(options, name, 'not available', contestant.missing)
        : compareTurns(
            options,
            { name: 'millrace', values: values('millrace') },
            { name, values: values(name) },
          );
    });
  },
};

async function plainGroup(bench: Bench, processes: AsyncDisposableStack): Promise<Entrant> {
  const records = bench.count(150_000);
  await fillStreams(bench, records);
  const side = processes.use(await startSide<IoredisConsumer>('ioredis-consumer'));
  await side.call('open', { url: bench.redis.url });
  let group = 0;
  return {
    comparison: {
      id: 'each-batch/ioredis',
      measure: 'eachBatch + commit / XREADGROUP + XACK',
      target: { atLeast: 5 },
    },
    settings: plainGroupSettings(),
    contestant: {
      name: 'ioredis',
      measure: () =>
        side.call('consume', {
          streams: PARTITIONS,
          records,
          group: `g${++group}`,
          handler: 'batch',
          ...GROUP_READ,
        }),
    },
  };
}

export function plainGroupSettings(): string {
  const { count, readers } = GROUP_READ;
  return `XREADGROUP COUNT ${count} of ${PARTITIONS} streams as buffers, ${readers} reads in flight, one XACK for all entries of a stream and read`;
}

async function bullWorker(bench: Bench, processes: AsyncDisposableStack): Promise<Entrant> {
  const records = bench.count(12_000);
  const side = processes.use(await startSide<BullMq>('bullmq'));
  await side.call('open', { url: bench.redis.url });
  return {
    comparison: {
      id: 'each-batch/bullmq',
      measure: 'eachBatch + commit / BullMQ Worker',
      target: { atLeast: 50 },
    },
    settings: `Worker with concurrency ${WORKER_CONCURRENCY}, removeOnComplete; one queue, filled before`,
    contestant: {
      name: 'bullmq',
      prepare: () => side.call('addBulk', { records, callRecords: 500, callsInFlight: 4 }),
      measure: () => side.call('work', { records, concurrency: WORKER_CONCURRENCY }),
    },
  };
}

async function jetStream(bench: Bench, processes: AsyncDisposableStack): Promise<Entrant> {
  const binary = await provideNats();
  const version = binary.status === 'found' ? ` ${binary.version}` : '';
  const entrant = {
    comparison: {
      id: 'each-batch/nats',
      measure: 'eachBatch + commit / NATS JetStream, ack-all',
      target: { atLeast: 2 },
    },
    settings: `nats-server${version}, stream in memory, pull consumer with a callback, ack policy all, up to ${JETSTREAM.maxMessages} messages on their way, an ack every ${JETSTREAM.ackEvery}`,
  } as const;
  if (binary.status === 'missing') return { ...entrant, contestant: { name: 'nats', missing: binary.why } };
  const records = bench.count(400_000);
  const side = processes.use(await startSide<Nats>('nats'));
  processes.defer(() => side.call('close'));
  await side.call('open', { binary: binary.path });
  await side.call('fill', { records, subjects: PARTITIONS });
  let consumer = 0;
  return {
    ...entrant,
    contestant: {
      name: 'nats',
      measure: () => side.call('consume', { records, consumer: `c${++consumer}`, ...JETSTREAM }),
    },
  };
}
