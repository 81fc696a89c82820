/**
 * Topics: the catalogue and the partitions behind it. A topic spans many cluster slots, so no step is atomic with the
 * next one. What holds instead: the entry in the catalogue is changed by compare-and-set and names the unfinished work
 * (`creating`, `deleting`); every step can be repeated; partitions are created and deleted under the incarnation that
 * the entry names, so that a caller who slept through a whole deletion and creation cannot harm the new topic.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  ConfigError,
  DataError,
  partitionKey,
  type MillraceError,
  type TopicCatalogue,
  type TopicLimits,
  type TopicStore,
  type VersionedLimits,
} from '@millrace/core';
import type { CommandConnection } from '../connection/command-connection.ts';
import type { Keys } from '../keys.ts';
import { RedisLog } from '../log/redis-log.ts';
import { decodeEntry, encodeEntry, type CatalogueEntry } from './catalogue-entry.ts';
import { newIncarnation } from './incarnation.ts';
import { createPartition, deletePartition, limitPartition, replaceTopic } from './topic-scripts.ts';

/** Every partition is a few keys and a place in some member's blocking read: far beyond it stands a wrong unit. */
export const MAX_PARTITIONS = 100_000;

const PARTITIONS_AT_ONCE = 500;

export interface TopicDescription {
  readonly topic: string;
  readonly partitions: number;
  readonly createdAtMs: number;
  /** Differs when the topic was deleted and created again. */
  readonly incarnation: string;
  /** Absent where none were ever set: the defaults. */
  readonly limits?: VersionedLimits | undefined;
}

export type CreateTopicResult =
  | { readonly status: 'CREATED' }
  /** Nothing was changed; `partitions` and `limits` are what the topic has. */
  | { readonly status: 'EXISTS'; readonly partitions: number; readonly limits: TopicLimits };

export type AddPartitionsResult =
  /** The topic has as many as asked for, new or not. */
  | { readonly status: 'ADDED'; readonly before: number; readonly partitions: number }
  /** The topic has more than asked for. They cannot be taken away: keys would move and records be lost. */
  | { readonly status: 'FEWER_PARTITIONS'; readonly partitions: number }
  | { readonly status: 'UNKNOWN_TOPIC' };

export type DeleteTopicResult = 'DELETED' | 'UNKNOWN_TOPIC';

/** An entry with the text it was read as, which compare-and-set needs. */
interface StoredEntry {
  readonly json: string;
  readonly entry: CatalogueEntry;
}

export class RedisTopicStore implements TopicStore {
  readonly #connection: CommandConnection;
  readonly #keys: Keys;
  readonly #log: RedisLog;

  constructor(connection: CommandConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
    this.#log = new RedisLog(connection, keys);
  }

  /**
   * Creates a topic with `partitions` (1 to `MAX_PARTITIONS`) empty partitions, limited from the first record on. Logs with records that the catalogue
   * does not know, because a failover lost the entry, become the topic's own again: nobody deleted them.
   *
   * Throws ConfigError `INVALID_OPTION`; ConfigError `TOPIC_EXISTS` when such logs belong to different topics;
   * DataError `FOREIGN_ENTRY` when a stream that is not ours has the key of a partition.
   */
  async create(topic: string, partitions: number, limits?: TopicLimits): Promise<CreateTopicResult> {
    checkPartitions(partitions);
    for (;;) {
      const stored = (await this.#read(topic)) ?? (await this.#reserve(topic, partitions, limits));
      switch (stored?.entry.state) {
        case undefined:
          break; // Somebody else reserved the name in this moment.
        case 'active':
          return existing(stored.entry);
        case 'deleting':
          await this.#finishDeleting(topic, stored);
          break;
        case 'creating':
          // Also of a creator that has died: of all who try, the one that finishes is told that it created the topic.
          if (!(await this.#finishCreating(topic, stored))) break;
          if (stored.entry.partitions === partitions && hasLimits(stored.entry, limits))
            return { status: 'CREATED' };
          return existing(stored.entry);
      }
    }
  }

  /** `null` where there is no such topic. */
  async describe(topic: string): Promise<TopicDescription | null> {
    const stored = await this.#read(topic);
    return stored?.entry.state === 'active' ? describeEntry(topic, stored.entry) : null;
  }

  /** All topics, by name. */
  async list(): Promise<readonly TopicDescription[]> {
    const topics: TopicDescription[] = [];
    for (const [topic, json] of Object.entries(await this.#connection.hgetall(this.#keys.topics))) {
      const entry = decodeEntry(topic, json);
      if (entry.state === 'active') topics.push(describeEntry(topic, entry));
    }
    return topics.sort((a, b) => (a.topic < b.topic ? -1 : 1));
  }

  async partitionCounts(): Promise<ReadonlyMap<string, number>> {
    return new Map((await this.list()).map(({ topic, partitions }) => [topic, partitions]));
  }

  async catalogue(): Promise<TopicCatalogue> {
    return new Map((await this.list()).map((description) => [description.topic, description]));
  }

  /** Grows the topic to `total` partitions. Repeating it with the present total repairs what a failover lost. */
  async addPartitions(topic: string, total: number): Promise<AddPartitionsResult> {
    checkPartitions(total);
    for (;;) {
      const stored = await this.#read(topic);
      if (stored?.entry.state !== 'active') return { status: 'UNKNOWN_TOPIC' };
      const before = stored.entry.partitions;
      if (total < before) return { status: 'FEWER_PARTITIONS', partitions: before };
      const grown = { ...stored.entry, partitions: total };
      const obstacle = await this.#createPartitions(topic, grown);
      const replaced = await this.#replace(topic, stored.json, obstacle ? stored.json : encodeEntry(grown));
      if (replaced.status === 'REPLACED') {
        if (obstacle !== null) throw obstacle;
        return { status: 'ADDED', before, partitions: total };
      }
      await this.#takeBack(topic, grown, replaced.present);
    }
  }

  /**
   * Puts `limits` in the place of those that the topic has. Of two calls at a time the later one counts, everywhere; one
   * that breaks off half-way is finished by the next sweep of each partition, or by repeating it.
   */
  async setLimits(topic: string, limits: TopicLimits): Promise<'SET' | 'UNKNOWN_TOPIC'> {
    for (;;) {
      const stored = await this.#read(topic);
      if (stored?.entry.state !== 'active') return 'UNKNOWN_TOPIC';
      const before = stored.entry.limits?.version ?? 0;
      const version = Math.max(before + 1, await this.#nowMicroseconds());
      const entry = { ...stored.entry, limits: { version, limits } };
      const replaced = await this.#replace(topic, stored.json, encodeEntry(entry));
      if (replaced.status === 'CHANGED') continue;
      await forEachPartition(entry.partitions, (partition) => this.#limitPartition(topic, partition, entry));
      return 'SET';
    }
  }

  /** Removes the topic with all records, and what groups and producers keep in its partitions. */
  async delete(topic: string): Promise<DeleteTopicResult> {
    for (;;) {
      const stored = await this.#read(topic);
      if (stored === null) return 'UNKNOWN_TOPIC';
      const marked = { ...stored.entry, state: 'deleting' } as const;
      const json = encodeEntry(marked);
      const replaced = await this.#replace(topic, stored.json, json);
      if (replaced.status === 'CHANGED') continue;
      await this.#finishDeleting(topic, { json, entry: marked });
      return 'DELETED';
    }
  }

  /** `null` when somebody else was faster. */
  async #reserve(
    topic: string,
    partitions: number,
    limits: TopicLimits | undefined,
  ): Promise<StoredEntry | null> {
    const names = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const left = [...(await this.#log.describeMany(names)).values()];
    const now = await this.#nowMicroseconds();
    const entry: CatalogueEntry = {
      partitions,
      createdAtMs: Math.floor(now / 1000),
      // Logs with records that no topic claims are taken up under the name that they have.
      incarnation:
        left.find((log) => log.end > 0)?.incarnation ??
        newIncarnation(
          now,
          left.map((log) => log.incarnation),
        ),
      state: 'creating',
      ...(limits === undefined ? {} : { limits: { version: now, limits } }),
    };
    const json = encodeEntry(entry);
    const replaced = await this.#replace(topic, '', json);
    return replaced.status === 'REPLACED' ? { json, entry } : null;
  }

  async #nowMicroseconds(): Promise<number> {
    const [seconds, microseconds] = await this.#connection.time();
    return Number(seconds) * 1_000_000 + Number(microseconds);
  }

  /** False when somebody else changed the entry: finished first, or deletes the topic. */
  async #finishCreating(topic: string, { json, entry }: StoredEntry): Promise<boolean> {
    const obstacle = await this.#createPartitions(topic, entry);
    // With a partition's place taken the name is given back. The partitions that were made stay: they are empty and
    // will be taken over, or they are logs that were taken up.
    const replaced = await this.#replace(
      topic,
      json,
      obstacle ? '' : encodeEntry({ ...entry, state: 'active' }),
    );
    if (replaced.status === 'CHANGED') await this.#takeBack(topic, entry, replaced.present);
    else if (obstacle !== null) throw obstacle;
    return replaced.status === 'REPLACED';
  }

  /** Removes partitions that were made for an incarnation which in the meantime was deleted, or is about to be. */
  async #takeBack(topic: string, made: CatalogueEntry, present: string): Promise<void> {
    const entry = present === '' ? null : decodeEntry(topic, present);
    if (entry?.incarnation === made.incarnation && entry.state !== 'deleting') return;
    await this.#deletePartitions(topic, made);
  }

  async #finishDeleting(topic: string, { json, entry }: StoredEntry): Promise<void> {
    await this.#deletePartitions(topic, entry);
    // Whoever changed it first has finished the deletion.
    await this.#replace(topic, json, '');
  }

  /**
   * Returns what stands in the way of a partition. It counts only while the entry is what it was: a caller who slept
   * finds the partitions of a topic that was created since.
   */
  async #createPartitions(topic: string, entry: CatalogueEntry): Promise<MillraceError | null> {
    let obstacle: MillraceError | null = null;
    await forEachPartition(entry.partitions, async (partition) => {
      const { incarnation } = entry;
      const result = await createPartition(this.#connection, this.#keys, topic, { partition, incarnation });
      if (result.status === 'OTHER_INCARNATION') {
        obstacle = new ConfigError(
          'TOPIC_EXISTS',
          `${partitionKey(topic, partition)} is a log of another topic of that name, with ${result.logEnd} records, ` +
            'which the catalogue does not know: choose another name',
          { details: { topic, partition, logEnd: result.logEnd } },
        );
      } else if (result.status === 'FOREIGN_LOG') {
        const { log } = this.#keys.partition(topic, partition);
        obstacle = new DataError(
          'FOREIGN_ENTRY',
          `key ${log} exists and Millrace did not make it: remove or rename it`,
          {
            details: { topic, partition },
          },
        );
      } else {
        await this.#limitPartition(topic, partition, entry);
      }
    });
    return obstacle;
  }

  /** A partition of another incarnation belongs to a topic that was created since. */
  async #limitPartition(
    topic: string,
    partition: number,
    { incarnation, limits }: CatalogueEntry,
  ): Promise<void> {
    if (limits === undefined) return;
    await limitPartition(this.#connection, this.#keys, topic, { partition, incarnation, limits });
  }

  async #deletePartitions(topic: string, { partitions, incarnation }: CatalogueEntry): Promise<void> {
    await forEachPartition(partitions, async (partition) => {
      for (;;) {
        const groups = await this.#connection.smembers(this.#keys.partition(topic, partition).groups);
        const result = await deletePartition(this.#connection, this.#keys, topic, {
          partition,
          incarnation,
          groups,
        });
        // Another incarnation is the log of a topic that was created after this deletion had been finished by others.
        if (result.status !== 'GROUPS_CHANGED') return;
      }
    });
  }

  async #read(topic: string): Promise<StoredEntry | null> {
    const json = await this.#connection.hget(this.#keys.topics, topic);
    return json === null ? null : { json, entry: decodeEntry(topic, json) };
  }

  #replace(topic: string, expected: string, replacement: string) {
    return replaceTopic(this.#connection, this.#keys, topic, { expected, replacement });
  }
}

function describeEntry(
  topic: string,
  { partitions, createdAtMs, incarnation, limits }: CatalogueEntry,
): TopicDescription {
  return { topic, partitions, createdAtMs, incarnation, ...(limits === undefined ? {} : { limits }) };
}

function existing({ partitions, limits }: CatalogueEntry): CreateTopicResult {
  return { status: 'EXISTS', partitions, limits: limits?.limits ?? {} };
}

/** Also when none are asked for. */
function hasLimits({ limits }: CatalogueEntry, asked: TopicLimits | undefined): boolean {
  return asked === undefined || isDeepStrictEqual(limits?.limits ?? {}, asked);
}

function checkPartitions(partitions: number): void {
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= MAX_PARTITIONS) return;
  throw new ConfigError(
    'INVALID_OPTION',
    `partitions must be an integer from 1 to ${MAX_PARTITIONS}, not ${partitions}`,
  );
}

async function forEachPartition(
  partitions: number,
  run: (partition: number) => Promise<void>,
): Promise<void> {
  for (let first = 0; first < partitions; first += PARTITIONS_AT_ONCE) {
    const count = Math.min(PARTITIONS_AT_ONCE, partitions - first);
    await Promise.all(Array.from({ length: count }, (_, index) => run(first + index)));
  }
}
