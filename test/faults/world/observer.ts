/**
 * The runner's own eyes: a connection that no fault cuts. Reads how far the groups are, and in the end every log as it
 * lies in Redis, without the product's checks, which would hide what is wrong with it.
 */
import { partitionKey } from '@millrace/core';
import {
  baseOffsetOf,
  closeCommandConnection,
  createKeys,
  decodeBatch,
  openCommandConnection,
  recordCount,
  RedisGroupStore,
  RedisPartitionStore,
  type ConnectionConfig,
  type Keys,
  type CommandConnection,
} from '@millrace/redis';
import { eventually, type HistoryWriter } from '@millrace/testkit';
import { systemClock } from '../../../packages/client/src/clock/system-clock.ts';
import { GROUPS, PARTITIONS, recordedValue, type Group } from '../load.ts';

const POLL_MS = 150;
const CONVERGENCE_MS = 60_000;

type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]];

export class Observer implements AsyncDisposable {
  readonly #connection: CommandConnection;
  readonly #keys: Keys;
  readonly #partitions: RedisPartitionStore;
  readonly #excluded = new Set<number>();

  static async open(config: ConnectionConfig, prefix: string): Promise<Observer> {
    return new Observer(await openCommandConnection(config, 'observer'), prefix);
  }

  constructor(connection: CommandConnection, prefix: string) {
    this.#connection = connection;
    this.#keys = createKeys(prefix);
    this.#partitions = new RedisPartitionStore(connection, this.#keys);
  }

  logKey(topic: string, partition: number): string {
    return this.#keys.partition(topic, partition).log;
  }

  groupKey(group: Group): string {
    return this.#keys.group(group).state;
  }

  /** From here on this partition of the present topic is looked at no more. */
  exclude(partition: number): void {
    this.#excluded.add(partition);
  }

  get excluded(): ReadonlySet<number> {
    return this.#excluded;
  }

  /** Another topic: all of its partitions count. */
  begin(): void {
    this.#excluded.clear();
  }

  /** Past the product, as somebody does it who should not. A log without a record is no stream yet: waits for the first. */
  async deleteLog(topic: string, partition: number): Promise<void> {
    await eventually(async () => (await this.#connection.del(this.logKey(topic, partition))) === 1, {
      intervalMs: POLL_MS,
    });
  }

  /** Waits until every group has committed what every log holds now. */
  async untilCommitted(topic: string, timeoutMs = CONVERGENCE_MS): Promise<void> {
    const goals = await eventually(() => this.#ends(topic), { timeoutMs, intervalMs: POLL_MS });
    const pending = new Map(
      GROUPS.flatMap((group) => goals.map((end, p) => [`${group} ${p}`, { group, p, end }] as const)),
    );
    for (const [name, { p }] of pending) if (this.#excluded.has(p)) pending.delete(name);
    await eventually(
      async () => {
        for (const [name, { group, p, end }] of pending) {
          const progress = await this.#partitions.progress(topic, p, group);
          // A log that went back has less than it had: the goal is what is left of it.
          const goal = Math.min(end, progress?.logEnd ?? end);
          if (goal === 0 || (progress !== null && progress.committed >= goal)) pending.delete(name);
        }
        if (pending.size > 0)
          throw new Error(`${pending.size} partitions wait: ${[...pending.keys()].slice(0, 8).join(', ')}`);
      },
      { timeoutMs, intervalMs: POLL_MS, what: `all of ${topic} committed` },
    );
  }

  /** Takes the lead from whoever has it, who is not told. */
  async deposeLeader(group: Group): Promise<void> {
    const store = new RedisGroupStore(this.#connection, this.#keys, group, systemClock);
    const { leader } = await store.watch([]);
    await this.#connection.del(this.#keys.group(group).leaderLock);
    await store.depose(leader, 'silent');
  }

  /** Log end offset of every partition. */
  async #ends(topic: string): Promise<number[]> {
    return Promise.all(
      Array.from({ length: PARTITIONS }, async (_, p) =>
        Number((await this.#connection.hget(this.#keys.partition(topic, p).state, 'end')) ?? 0),
      ),
    );
  }

  /** Writes down what is left when all load has ended. */
  async writeFinalState(topic: string, writer: HistoryWriter): Promise<void> {
    for (let p = 0; p < PARTITIONS; p++) {
      if (this.#excluded.has(p)) continue;
      await this.#writeLog(topic, p, writer);
      for (const group of GROUPS) {
        const progress = await this.#partitions.progress(topic, p, group);
        if (progress !== null)
          writer.fact('final-committed', { group, topic, p, committed: progress.committed });
      }
    }
  }

  async #writeLog(topic: string, p: number, writer: HistoryWriter): Promise<void> {
    const { log, state } = this.#keys.partition(topic, p);
    const [start, end] = await this.#connection.hmget(state, 'start', 'end');
    const entries = (await this.#connection.xrangeBuffer(log, '-', '+')) as unknown as readonly RawEntry[];
    const records = entries.flatMap((entry) => recordsOf(partitionKey(topic, p), entry));
    const facts = entries.length === 0 ? {} : await this.#streamFacts(log);
    writer.fact('final-log', {
      topic,
      p,
      logStart: Number(start ?? 0),
      logEnd: Number(end ?? 0),
      records,
      entries: entries.length,
      ...facts,
    });
  }

  async #streamFacts(log: string): Promise<{ entriesAdded?: number; maxDeleted?: string }> {
    const reply = (await this.#connection.xinfo('STREAM', log)) as readonly unknown[];
    const valueOf = (name: string): unknown => reply[reply.indexOf(name) + 1];
    return {
      entriesAdded: Number(valueOf('entries-added')),
      maxDeleted: String(valueOf('max-deleted-entry-id')),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeCommandConnection(this.#connection);
  }
}

function recordsOf(partition: ReturnType<typeof partitionKey>, [id, fields]: RawEntry): [number, string][] {
  const bytes = fields[3];
  if (bytes === undefined || recordCount(bytes) === 0) return [];
  const nextOffset = Number(id.toString('latin1').split('-')[1]);
  const base = baseOffsetOf({ partition, nextOffset, appendedMs: 0, bytes });
  return Array.from(decodeBatch(bytes, base, partition), ({ offset, value }) => [
    offset,
    recordedValue(value?.toString('utf8') ?? ''),
  ]);
}
