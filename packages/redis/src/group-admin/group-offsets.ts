/** Where a group stands in every partition, read from the partitions' own slots. */
import type { CommandConnection } from '../connection/command-connection.ts';
import type { Keys } from '../keys.ts';

export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  /** Owner by the partition's slot, which is the authority; null once released. May have died since. */
  readonly owner: string | null;
  /** Of the last ownership; 0 where there was none. */
  readonly epoch: number;
  /** Next record to consume; null where the group never owned the partition. */
  readonly committed: number | null;
  readonly logStart: number;
  readonly logEnd: number;
}

/** Commands go out in groups of this many, so that a huge topic does not fill the socket's buffer at once. */
const PARTITIONS_AT_ONCE = 500;

/** One entry per partition of `topics` (topic → number of partitions) that exists, in their order. */
export async function readGroupOffsets(
  connection: Pick<CommandConnection, 'hmget'>,
  keys: Keys,
  group: string,
  topics: ReadonlyMap<string, number>,
): Promise<GroupOffset[]> {
  const places = [...topics].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  );
  const offsets: GroupOffset[] = [];
  for (let first = 0; first < places.length; first += PARTITIONS_AT_ONCE) {
    const block = places.slice(first, first + PARTITIONS_AT_ONCE);
    const read = await Promise.all(block.map((place) => readOne(connection, keys, group, place)));
    for (const offset of read) if (offset !== null) offsets.push(offset);
  }
  return offsets;
}

async function readOne(
  connection: Pick<CommandConnection, 'hmget'>,
  keys: Keys,
  group: string,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): Promise<GroupOffset | null> {
  const places = keys.partition(topic, partition);
  // The log's end is asked for last: it only grows, so the lag cannot come out negative.
  const [[owner, epoch, committed], [start, end]] = await Promise.all([
    connection.hmget(places.group(group), 'owner', 'epoch', 'committed'),
    connection.hmget(places.state, 'start', 'end'),
  ]);
  if (end === null || end === undefined) return null;
  return {
    topic,
    partition,
    owner: owner ?? null,
    epoch: Number(epoch ?? 0),
    committed: committed === null || committed === undefined ? null : Number(committed),
    logStart: Number(start ?? 0),
    logEnd: Number(end),
  };
}
