/** Process: a producer of the product, with its default options. */
import { connect, type Millrace, type Producer, type ProducerOptions } from 'millrace';
import { inLanes, stopwatch, type Timing } from '../run/stopwatch.ts';
import { serveTasks } from '../run/task-server.ts';
import { pace } from '../run/pace.ts';
import { bufferValue, jsonValue, VALUE_BYTES } from '../run/values.ts';

interface Opened {
  readonly millrace: Millrace;
  readonly producer: Producer;
}

export interface SendBatchArgs {
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  /** Records in one call. */
  readonly callRecords: number;
  readonly callsInFlight: number;
  readonly values?: 'text' | 'json';
  /** Default `in turn`. `by the producer`: records have neither a key nor a partition. */
  readonly placed?: 'in turn' | 'by the producer';
}

export interface SendArgs {
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  /** Sends that wait for their answer at a time. */
  readonly concurrency: number;
}

let opened: Opened | undefined;

function use(): Opened {
  if (opened === undefined) throw new Error('not open');
  return opened;
}

/** What the topic holds, by the server: a send that was acknowledged and not stored would be found here. */
async function logEnd(topic: string): Promise<number> {
  const { partitions } = await use().millrace.admin.describeTopic(topic);
  return partitions.reduce((sum, partition) => sum + partition.logEnd, 0);
}

async function verified(topic: string, records: number, send: () => Promise<Timing>): Promise<Timing> {
  const before = await logEnd(topic);
  const timing = await send();
  const stored = (await logEnd(topic)) - before;
  if (stored !== records) throw new Error(`${records} records sent, ${stored} stored`);
  return timing;
}

const tasks = {
  async open({ url, options = {} }: { url: string; options?: ProducerOptions }): Promise<void> {
    const millrace = await connect({ url, prefix: 'bench', name: 'bench-producer', logger: false });
    opened = { millrace, producer: millrace.producer(options) };
  },

  async createTopic({ topic, partitions }: { topic: string; partitions: number }): Promise<void> {
    await use().millrace.admin.createTopic(topic, { partitions });
  },

  sendBatch(args: SendBatchArgs): Promise<Timing> {
    const { topic, partitions, records, callRecords, callsInFlight } = args;
    const { producer } = use();
    const value = args.values === 'json' ? jsonValue : bufferValue;
    const isPlaced = args.placed !== 'by the producer';
    const calls = Math.ceil(records / callRecords);
    const send = async (call: number): Promise<void> => {
      const from = call * callRecords;
      const count = Math.min(callRecords, records - from);
      const batch = Array.from({ length: count }, (_, index) =>
        isPlaced
          ? { partition: (from + index) % partitions, value: value(from + index) }
          : { value: value(from + index) },
      );
      let stored = 0;
      for (const part of await producer.sendBatch(topic, batch)) stored += part.count;
      if (stored !== count) throw new Error(`${count} records sent, ${stored} acknowledged`);
    };
    return verified(topic, records, () => stopwatch(records, () => inLanes(callsInFlight, calls, send)));
  },

  send({ topic, partitions, records, concurrency }: SendArgs): Promise<Timing> {
    const { producer } = use();
    const send = (index: number): Promise<unknown> =>
      producer.send(topic, { partition: index % partitions, value: bufferValue(index) });
    return verified(topic, records, () => stopwatch(records, () => inLanes(concurrency, records, send)));
  },

  /** So many records a second, each with the time at which it was sent. */
  async sendPaced(args: { topic: string; partitions: number; records: number; perSecond: number }) {
    const { producer } = use();
    await pace(args.records, args.perSecond, (index, stamp) => {
      const value = Buffer.alloc(VALUE_BYTES);
      stamp(value);
      return producer.send(args.topic, { partition: index % args.partitions, value });
    });
  },

  async close(): Promise<void> {
    await opened?.millrace.close();
  },
};

export type MillraceProducer = typeof tasks;
serveTasks(tasks);
