/** Process: plain consumption by ioredis, `XREADGROUP` with `XACK`, and `XREAD BLOCK` for the latency. */
import { Redis } from 'ioredis';
import { LatencyCollector, type Latencies } from '../run/pace.ts';
import { stopwatch, type Timing } from '../run/stopwatch.ts';
import { serveTasks } from '../run/task-server.ts';
import { VALUE_BYTES } from '../run/values.ts';

export interface ConsumeArgs {
  readonly streams: number;
  /** What the streams hold. */
  readonly records: number;
  /** A new group, which begins at the first record. */
  readonly group: string;
  /** COUNT: of each stream that a read names. */
  readonly count: number;
  /** Streams are read in so many sets, which take turns: while one is worked on, another is fetched. */
  readonly readers: number;
  /** Calls an asynchronous function for each record, or a plain loop. */
  readonly handler: 'batch' | 'record';
}

type Entries = readonly (readonly [id: Buffer, fields: readonly Buffer[]])[];
type Reply = readonly (readonly [stream: Buffer, entries: Entries])[] | null;

let redis: Redis | undefined;
let latencies: LatencyCollector | undefined;

function use(): Redis {
  if (redis === undefined) throw new Error('not open');
  return redis;
}

const stream = (index: number): string => `plain:${index}`;

/** Reads, handles and acknowledges until its streams hold nothing more. The acknowledgement goes out with the next read. */
async function consumeSet(
  streams: readonly string[],
  { group, count }: ConsumeArgs,
  handle: (entries: Entries) => void | Promise<void>,
): Promise<number> {
  const client = use();
  const acknowledged: Promise<number>[] = [];
  for (;;) {
    const reply = (await client.xreadgroupBuffer(
      'GROUP',
      group,
      'worker',
      'COUNT',
      count,
      'STREAMS',
      ...streams,
      ...streams.map(() => '>'),
    )) as Reply;
    if (reply === null) break;
    for (const [name, entries] of reply) {
      await handle(entries);
      acknowledged.push(client.xack(name, group, ...entries.map(([id]) => id)));
    }
  }
  const counts = await Promise.all(acknowledged);
  return counts.reduce((sum, acked) => sum + acked, 0);
}

const tasks = {
  async open({ url }: { url: string }): Promise<void> {
    redis = new Redis(url, { lazyConnect: true });
    await redis.connect();
  },

  async consume(args: ConsumeArgs): Promise<Timing> {
    const { streams, records, group, handler, readers } = args;
    const names = Array.from({ length: streams }, (_, index) => stream(index));
    for (const name of names) await use().xgroup('CREATE', name, group, '0');
    let [seen, bytes] = [0, 0];
    const handleRecord = async (fields: readonly Buffer[]): Promise<void> => {
      seen++;
      bytes += fields[1]?.length ?? 0;
    };
    const handle =
      handler === 'record'
        ? async (entries: Entries) => {
            for (const [, fields] of entries) await handleRecord(fields);
          }
        : (entries: Entries) => {
            for (const [, fields] of entries) {
              seen++;
              bytes += fields[1]?.length ?? 0;
            }
          };
    const sets = Array.from({ length: readers }, (_, set) =>
      names.filter((_name, index) => index % readers === set),
    );
    let acknowledged = 0;
    const timing = await stopwatch(records, async () => {
      const counts = await Promise.all(sets.map((set) => consumeSet(set, args, handle)));
      for (const count of counts) acknowledged += count;
    });
    for (const name of names) await use().xgroup('DESTROY', name, group);
    if (seen !== records || bytes !== records * VALUE_BYTES || acknowledged !== records)
      throw new Error(`${records} expected: ${seen} came, of ${bytes} bytes, ${acknowledged} acknowledged`);
    return timing;
  },

  /** Reads what is added from now on; `latencies` waits for it. */
  async receive({ streams, records }: { streams: number; records: number }): Promise<void> {
    const collector = new LatencyCollector(records);
    latencies = collector;
    const names = Array.from({ length: streams }, (_, index) => stream(index));
    const last = await Promise.all(names.map((name) => lastId(name)));
    const cursors = new Map(names.map((name, index) => [name, last[index] ?? '0-0']));
    let seen = 0;
    const loop = async (): Promise<void> => {
      while (seen < records) {
        const reply = (await use().xreadBuffer(
          'BLOCK',
          5_000,
          'STREAMS',
          ...cursors.keys(),
          ...cursors.values(),
        )) as Reply;
        for (const [name, entries] of reply ?? []) {
          for (const [id, fields] of entries) {
            seen++;
            collector.add(fields[1] as Buffer);
            cursors.set(name.toString(), id.toString());
          }
        }
      }
    };
    void loop();
  },

  latencies(): Promise<Latencies> {
    if (latencies === undefined) throw new Error('nothing is received');
    return latencies.complete;
  },

  close(): void {
    redis?.disconnect();
  },
};

async function lastId(name: string): Promise<string> {
  const [newest] = await use().xrevrange(name, '+', '-', 'COUNT', 1);
  return newest?.[0] ?? '0-0';
}

export type IoredisConsumer = typeof tasks;
serveTasks(tasks);
