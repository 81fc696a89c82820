/**
 * Process: one member of each of some groups, with the default options. Before a measured pass every partition is sought,
 * which throws away what was fetched ahead; it ends when everything is delivered, committed and verified.
 */
import { connect, type Consumer, type Handlers, type Millrace } from 'millrace';
import { cpuWork } from '../run/cpu-work.ts';
import { MemoryWatch, peakRssMiB, type MemoryReport, type Watched } from '../run/memory-watch.ts';
import { LatencyCollector, type Latencies } from '../run/pace.ts';
import { stopwatch, total, type Timing } from '../run/stopwatch.ts';
import { serveTasks } from '../run/task-server.ts';
import { VALUE_BYTES } from '../run/values.ts';

export interface OpenArgs {
  readonly url: string;
  readonly topic: string;
  readonly partitions: number;
  readonly groups: readonly string[];
  /** `eachRecord+work`: with a handler that computes for about 20 µs. */
  readonly handler: 'eachBatch' | 'eachRecord' | 'eachRecord+work';
}

/** From one offset up to another, of every partition. */
export interface PassArgs {
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** How often the same is consumed, one after the other. Default once. */
  readonly times?: number;
}

interface Member {
  readonly group: string;
  readonly consumer: Consumer<string>;
  records: number;
  bytes: number;
  expected: number;
  onComplete: () => void;
}

interface Opened {
  readonly millrace: Millrace;
  readonly topic: string;
  readonly members: readonly Member[];
}

const ASSIGNMENT_TIMEOUT_MS = 60_000;

let opened: Opened | undefined;
let failure: Error | undefined;
let memory: MemoryWatch | undefined;
let latencies: LatencyCollector | undefined;

function use(): Opened {
  if (opened === undefined) throw new Error('not open');
  return opened;
}

function handlers(member: Member, kind: OpenArgs['handler']): Handlers<Buffer | null> {
  const add = (bytes: Buffer | null): void => {
    if (bytes === null) throw new Error('a tombstone came, which nobody sent');
    member.records++;
    member.bytes += bytes.length;
    latencies?.add(bytes);
  };
  const look = (): void => {
    memory?.look(member.records);
    if (member.records >= member.expected) member.onComplete();
  };
  switch (kind) {
    case 'eachBatch':
      return {
        eachBatch: async ({ batch }) => {
          for (const record of batch.records) add(record.value);
          look();
        },
      };
    case 'eachRecord':
      return {
        eachRecord: async ({ record }) => {
          add(record.value);
          look();
        },
      };
    case 'eachRecord+work':
      return {
        eachRecord: async ({ record }) => {
          add(record.value);
          cpuWork(record.offset);
          look();
        },
      };
    default:
      return kind satisfies never;
  }
}

/**
 * Back to where the pass begins, while everything is paused: so nothing is fetched before the clock runs. Seeking is no part of
 * consuming, and takes a noticeable part of a pass of 1,024 partitions.
 */
async function rewind({ consumer }: Member, from: readonly number[]): Promise<void> {
  await Promise.all(
    consumer
      .assignment()
      .map(({ topic, partition }) => consumer.seek({ topic, partition, offset: from[partition] ?? 0 })),
  );
}

async function consume(member: Member, { from, to }: PassArgs): Promise<void> {
  const { consumer } = member;
  const owned = consumer.assignment();
  const complete = Promise.withResolvers<void>();
  [member.records, member.bytes, member.onComplete] = [0, 0, complete.resolve];
  member.expected = owned.reduce(
    (sum, { partition }) => sum + (to[partition] ?? 0) - (from[partition] ?? 0),
    0,
  );
  consumer.resume(owned);
  await Promise.race([complete.promise, failed.promise]);
  // The last handler returns, and what it was given is processed.
  await new Promise((resolve) => setImmediate(resolve));
  await consumer.commit();
  consumer.pause(owned);
  if (failure !== undefined) throw failure;
  if (member.records !== member.expected || member.bytes !== member.expected * VALUE_BYTES)
    throw new Error(`${member.expected} records expected: ${member.records} came, of ${member.bytes} bytes`);
}

/** By the server: a commit that was left out would be found here. */
async function verifyCommitted({ millrace, members, topic }: Opened, to: readonly number[]): Promise<void> {
  for (const { group, consumer } of members) {
    const owned = new Set(consumer.assignment().map(({ partition }) => partition));
    const { partitions } = await millrace.admin.describeGroup(group);
    for (const { topic: of, partition, committed } of partitions) {
      if (of !== topic || !owned.has(partition)) continue;
      if (committed !== (to[partition] ?? 0))
        throw new Error(
          `${group} has committed ${committed} of partition ${partition}, not ${to[partition]}`,
        );
    }
  }
}

const failed = Promise.withResolvers<never>();
failed.promise.catch(() => {}); // whoever waits for a pass hears of it

const tasks = {
  async open({ url, topic, partitions, groups, handler }: OpenArgs): Promise<void> {
    const millrace = await connect({ url, prefix: 'bench', name: `bench-${process.pid}`, logger: false });
    const members: Member[] = [];
    for (const group of groups) {
      const consumer = millrace.consumer({ group, topics: [topic] });
      consumer.on('error', (error) => failed.reject((failure = error)));
      consumer.on('lost', (event) =>
        failed.reject((failure = new Error(`partitions lost: ${event.reason}`))),
      );
      consumer.pause(Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
      const member: Member = { group, consumer, records: 0, bytes: 0, expected: 0, onComplete: () => {} };
      await consumer.run(handlers(member, handler));
      members.push(member);
    }
    opened = { millrace, topic, members };
  },

  /** Waits until every member owns so many partitions. */
  async assigned({ each }: { each: number }): Promise<void> {
    const { members } = use();
    const deadline = performance.now() + ASSIGNMENT_TIMEOUT_MS;
    while (!members.every(({ consumer }) => consumer.assignment().length === each)) {
      if (failure !== undefined) throw failure;
      if (performance.now() > deadline) throw new Error(`not every member owns ${each} partitions in time`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  },

  async pass(args: PassArgs): Promise<Timing> {
    const { members } = use();
    const { times = 1 } = args;
    const timings: Timing[] = [];
    for (let time = 0; time < times; time++) {
      await Promise.all(members.map((member) => rewind(member, args.from)));
      const timing = await stopwatch(0, () => Promise.all(members.map((member) => consume(member, args))));
      timings.push({ ...timing, records: members.reduce((sum, { expected }) => sum + expected, 0) });
    }
    await verifyCommitted(use(), args.to);
    return total(timings);
  },

  /** As `pass`, and looks at the process' memory while it goes on. */
  async passWatched({
    watched,
    parts,
    ...args
  }: PassArgs & { watched: Watched; parts: number }): Promise<Timing & { memory: MemoryReport }> {
    const expected = args.to.reduce((sum, to, partition) => sum + to - (args.from[partition] ?? 0), 0);
    const watch = new MemoryWatch(watched, expected, parts);
    memory = watch;
    const timing = await tasks.pass(args);
    memory = undefined;
    return { ...timing, memory: watch.report() };
  },

  /** Delivers what comes from now on; `latencies` waits for it. */
  receive({ records }: { records: number }): void {
    latencies = new LatencyCollector(records);
    for (const { consumer } of use().members) consumer.resume(consumer.assignment());
  },

  latencies(): Promise<Latencies> {
    if (latencies === undefined) throw new Error('nothing is received');
    return Promise.race([latencies.complete, failed.promise]);
  },

  async peakRssMiB(): Promise<number> {
    return peakRssMiB();
  },

  async close(): Promise<void> {
    await opened?.millrace.close();
  },
};

export type MillraceConsumer = typeof tasks;
serveTasks(tasks);
