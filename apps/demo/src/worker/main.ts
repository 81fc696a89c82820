/**
 * A worker process: a member of the group that folds the changes of its partitions into the sink. Ends in order on
 * SIGTERM. Started, told what to do, and watched by the demo.
 */
import { connect } from 'millrace';
import type { Consumer, EachRecord } from 'millrace';

import { CHANGES } from '../changes-topic.ts';
import type { ChangeValue } from '../changes-topic.ts';
import { Sink } from '../sink/sink.ts';
import type { WorkerOrders, WorkerReport } from './worker-messages.ts';

const STATUS_INTERVAL_MS = 100;

process.once('message', (orders) => {
  work(orders as WorkerOrders).catch((error: unknown) => {
    // The demo shows what a worker that ends by itself has written.
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
});

async function work({ name, redisUrl, prefix, group }: WorkerOrders): Promise<void> {
  await using sink = await Sink.connect(redisUrl, prefix, name);
  await using millrace = await connect({ url: redisUrl, prefix, name });
  const consumer = millrace.consumer({ group, topics: [CHANGES] });
  let handled = 0;

  consumer.on('assigned', ({ partitions }) => {
    for (const { partition, epoch } of partitions) {
      sink.open(partition, epoch, name).catch((error: unknown) => complain(error));
    }
  });
  consumer.on('lost', ({ partitions, reason, commitRefused }) => {
    const refusedCommits = commitRefused ? partitions.length : 0;
    tell({ type: 'lost', reason, partitions: partitions.length, refusedCommits });
  });
  consumer.on('error', complain);
  await consumer.run({
    eachRecord: async (delivery) => {
      await fold(sink, name, delivery);
      handled += 1;
    },
  });
  tell({ type: 'joined', memberId: consumer.memberId });

  const stopTelling = tellStatus(consumer, () => handled);
  await new Promise((resolve) => process.once('SIGTERM', resolve));
  await consumer.close();
  stopTelling();
  // The channel to the demo would keep the process alive.
  process.disconnect?.();
}

async function fold(
  sink: Sink,
  worker: string,
  { record, partition, epoch }: EachRecord<ChangeValue | null>,
): Promise<void> {
  const { key, value, offset, appendedMs } = record;
  if (key === null || value === null)
    throw new Error(`the record at offset ${offset} of partition ${partition} is no change`);
  const entry = value.kind === 'deleted' ? '' : `${value.mode} ${value.blob}`;
  // Refused: a newer owner has written. Returning is right, because the commit that follows must be refused as well,
  // by millrace; the verdict would show it if it were not.
  await sink.apply({ partition, epoch, worker, offset, appendedMs, path: key.toString('latin1'), entry });
}

/** Tells at once and whenever something has changed; the returned function tells for the last time. */
function tellStatus(consumer: Consumer<typeof CHANGES>, handled: () => number): () => void {
  let told = '';
  const tellChange = (): void => {
    const partitions = consumer.assignment().map(({ partition }) => partition);
    partitions.sort((a, b) => a - b);
    const status: WorkerReport = { type: 'status', handled: handled(), partitions };
    const text = JSON.stringify(status);
    if (text !== told) tell(status);
    told = text;
  };
  const timer = setInterval(tellChange, STATUS_INTERVAL_MS);
  tellChange();
  return () => {
    clearInterval(timer);
    tellChange();
  };
}

function complain(error: unknown): void {
  tell({ type: 'trouble', message: error instanceof Error ? error.message : String(error) });
}

function tell(report: WorkerReport): void {
  // When the demo is gone there is nobody to tell, and this process is about to end with it.
  if (process.connected) process.send?.(report, undefined, undefined, () => {});
}
