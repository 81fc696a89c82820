/** What rows begin with: the sides' processes, and topics that hold something. */
import type { MillraceConsumer, OpenArgs } from '../peers/millrace-consumer.ts';
import type { MillraceProducer, SendBatchArgs } from '../peers/millrace-producer.ts';
import type { IoredisProducer } from '../peers/ioredis-producer.ts';
import type { Bench } from '../run/bench.ts';
import { startSide, type Side } from '../run/side-process.ts';

/** Partitions of a topic, and plain streams beside it. */
export const PARTITIONS = 16;

/** How the product is given records in bulk. */
export const BULK = { callRecords: 10_000, callsInFlight: 4 };
/** More than a producer takes in: its `maxBufferedBytes` paces the calls, as it does for a loader that waits for none. */
export const UNPACED = { ...BULK, callsInFlight: 32 };
/** How plain `XADD` is: what was fastest of 100 to 2,000 a pipeline, one to 16 in flight, as text and as buffers. */
export const PIPELINES = { pipelineRecords: 500, pipelinesInFlight: 8, values: 'text' } as const;

export async function openProducer(
  bench: Bench,
  topic: string,
  partitions: number = PARTITIONS,
): Promise<Side<MillraceProducer>> {
  const side = await startSide<MillraceProducer>('millrace-producer');
  await side.call('open', { url: bench.redis.url });
  await side.call('createTopic', { topic, partitions });
  return side;
}

/** Paused, and owner of everything. */
export async function openConsumer(
  bench: Bench,
  args: Omit<OpenArgs, 'url'>,
): Promise<Side<MillraceConsumer>> {
  const side = await startSide<MillraceConsumer>('millrace-consumer');
  await side.call('open', { ...args, url: bench.redis.url });
  await side.call('assigned', { each: args.partitions });
  return side;
}

/** Call after call, so that batches are as large as the calls make them. */
const ONE_CALL = { ...BULK, callsInFlight: 1 };

/**
 * A topic that holds so many records, evenly: what its partitions' logs end with. The newest `tail` are sent after all
 * others, one call at a time.
 */
export async function fillTopic(
  bench: Bench,
  args: Omit<SendBatchArgs, 'callRecords' | 'callsInFlight'>,
  tail = 0,
  bulk = BULK,
): Promise<number[]> {
  await using producer = await openProducer(bench, args.topic, args.partitions);
  const head = args.records - tail;
  if (head > 0) await producer.call('sendBatch', { ...args, records: head, ...bulk });
  if (tail > 0) await producer.call('sendBatch', { ...args, records: tail, ...ONE_CALL });
  await producer.call('close');
  return evenEnds(args.records, args.partitions);
}

/** The end of each partition's log when record `i` went to partition `i % partitions`. */
export function evenEnds(records: number, partitions: number): number[] {
  return Array.from({ length: partitions }, (_, partition) => Math.ceil((records - partition) / partitions));
}

export function zeros(partitions: number): number[] {
  return Array.from({ length: partitions }, () => 0);
}

/** Plain streams that hold so many records, evenly. */
export async function fillStreams(bench: Bench, records: number): Promise<void> {
  await using producer = await startSide<IoredisProducer>('ioredis-producer');
  await producer.call('open', { url: bench.redis.url, autoPipelining: false });
  await producer.call('append', { streams: PARTITIONS, records, ...PIPELINES });
}

/** A cost that should not change, as one run on a shared machine can tell. */
export const FLAT = { atMost: 1.2 };

/** For the settings of a row. */
export const MILLRACE_PRODUCER =
  'producer() with its defaults: idempotent, acks memory; 16 partitions, which the records name, without keys';
export const MILLRACE_CONSUMER =
  'consumer() with its defaults: at least once, fenced commits every 100 ms; 16 partitions; every partition is sought before a pass, and commit() ends it';
