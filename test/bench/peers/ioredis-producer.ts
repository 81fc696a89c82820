/** Process: plain `XADD` by ioredis, pipelined by hand or by itself. */
import { Redis } from 'ioredis';
import { pace } from '../run/pace.ts';
import { inLanes, stopwatch, type Timing } from '../run/stopwatch.ts';
import { serveTasks } from '../run/task-server.ts';
import { bufferValue, jsonValue, textValue, VALUE_BYTES } from '../run/values.ts';

export interface AppendArgs {
  readonly streams: number;
  readonly records: number;
  readonly pipelineRecords: number;
  readonly pipelinesInFlight: number;
  /** What the values are given as; the bytes are the same. */
  readonly values: 'text' | 'buffer' | 'json';
}

let redis: Redis | undefined;

function use(): Redis {
  if (redis === undefined) throw new Error('not open');
  return redis;
}

const stream = (index: number): string => `plain:${index}`;

async function stored(streams: number): Promise<number> {
  const lengths = await Promise.all(Array.from({ length: streams }, (_, index) => use().xlen(stream(index))));
  return lengths.reduce((sum, length) => sum + length, 0);
}

async function verified(streams: number, records: number, send: () => Promise<Timing>): Promise<Timing> {
  const before = await stored(streams);
  const timing = await send();
  const added = (await stored(streams)) - before;
  if (added !== records) throw new Error(`${records} records sent, ${added} stored`);
  return timing;
}

const VALUES = { text: textValue, buffer: bufferValue, json: jsonValue };

const tasks = {
  async open({ url, autoPipelining }: { url: string; autoPipelining: boolean }): Promise<void> {
    redis = new Redis(url, { enableAutoPipelining: autoPipelining, lazyConnect: true });
    await redis.connect();
  },

  append({ streams, records, pipelineRecords, pipelinesInFlight, values }: AppendArgs): Promise<Timing> {
    const value = VALUES[values];
    const names = Array.from({ length: streams }, (_, index) => stream(index));
    const send = async (call: number): Promise<void> => {
      const from = call * pipelineRecords;
      const to = Math.min(records, from + pipelineRecords);
      const pipeline = use().pipeline();
      for (let index = from; index < to; index++)
        pipeline.xadd(names[index % streams] as string, '*', 'v', value(index));
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
    };
    const calls = Math.ceil(records / pipelineRecords);
    return verified(streams, records, () =>
      stopwatch(records, () => inLanes(pipelinesInFlight, calls, send)),
    );
  },

  send({ streams, records, concurrency, values }: SendArgs): Promise<Timing> {
    const value = VALUES[values];
    const names = Array.from({ length: streams }, (_, index) => stream(index));
    const send = (index: number): Promise<unknown> =>
      use().xadd(names[index % streams] as string, '*', 'v', value(index));
    return verified(streams, records, () => stopwatch(records, () => inLanes(concurrency, records, send)));
  },

  async sendPaced(args: { streams: number; records: number; perSecond: number }): Promise<void> {
    await pace(args.records, args.perSecond, (index, stamp) => {
      const value = Buffer.alloc(VALUE_BYTES);
      stamp(value);
      return use().xadd(stream(index % args.streams), '*', 'v', value);
    });
  },

  close(): void {
    redis?.disconnect();
  },
};

export interface SendArgs {
  readonly streams: number;
  readonly records: number;
  readonly concurrency: number;
  readonly values: 'text' | 'buffer';
}

export type IoredisProducer = typeof tasks;
serveTasks(tasks);
