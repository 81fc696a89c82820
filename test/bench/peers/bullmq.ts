/** Process: a BullMQ queue, and a worker for it. Only what its documentation recommends for speed. */
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { inLanes, stopwatch, type Timing } from '../run/stopwatch.ts';
import { serveTasks } from '../run/task-server.ts';
import { textValue, VALUE_BYTES } from '../run/values.ts';

interface Opened {
  readonly url: string;
  readonly connection: Redis;
  readonly queue: Queue<string, void>;
}

let opened: Opened | undefined;

function use(): Opened {
  if (opened === undefined) throw new Error('not open');
  return opened;
}

const QUEUE = 'bench';

export interface AddArgs {
  readonly records: number;
  /** Jobs in one `addBulk`. */
  readonly callRecords: number;
  readonly callsInFlight: number;
}

const tasks = {
  async open({ url }: { url: string }): Promise<void> {
    const connection = new Redis(url, { maxRetriesPerRequest: null });
    const queue = new Queue<string, void>(QUEUE, {
      connection,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    await queue.waitUntilReady();
    opened = { url, connection, queue };
  },

  async addBulk({ records, callRecords, callsInFlight }: AddArgs): Promise<Timing> {
    const { queue } = use();
    const before = await queue.getWaitingCount();
    const timing = await stopwatch(records, () =>
      inLanes(callsInFlight, Math.ceil(records / callRecords), (call) => {
        const from = call * callRecords;
        const count = Math.min(callRecords, records - from);
        const jobs = Array.from({ length: count }, (_, index) => ({
          name: 'r',
          data: textValue(from + index),
        }));
        return queue.addBulk(jobs);
      }),
    );
    const stored = (await queue.getWaitingCount()) - before;
    if (stored !== records) throw new Error(`${records} jobs added, ${stored} stored`);
    return timing;
  },

  /** Works off what the queue holds. */
  async work({ records, concurrency }: { records: number; concurrency: number }): Promise<Timing> {
    const { queue, url } = use();
    let [seen, bytes, completed] = [0, 0, 0];
    const complete = Promise.withResolvers<void>();
    const connection = new Redis(url, { maxRetriesPerRequest: null });
    const worker = new Worker<string, void>(
      QUEUE,
      async (job) => {
        seen++;
        bytes += job.data.length;
      },
      { connection, concurrency, autorun: false },
    );
    worker.on('completed', () => {
      if (++completed === records) complete.resolve();
    });
    worker.on('error', complete.reject);
    await worker.waitUntilReady();
    const timing = await stopwatch(records, async () => {
      worker.run().catch(complete.reject);
      await complete.promise;
    });
    await worker.close();
    connection.disconnect();
    const left = await queue.getJobCountByTypes('waiting', 'active', 'failed', 'completed');
    if (seen !== records || bytes !== records * VALUE_BYTES || left !== 0)
      throw new Error(`${records} jobs expected: ${seen} came, of ${bytes} bytes, ${left} left`);
    return timing;
  },

  async close(): Promise<void> {
    await opened?.queue.close();
    opened?.connection.disconnect();
  },
};

export type BullMq = typeof tasks;
serveTasks(tasks);
