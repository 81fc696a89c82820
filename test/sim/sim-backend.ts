/** All that a consumer asks of Redis, answered by the simulated one through connections that fail. */
import type { Clock, Random, StoredBatch } from '@millrace/core';
import {
  onServerChange,
  readBatches,
  type EntryReader,
  type ReadAnswer,
  type ReadOptions,
  type ReadPosition,
  type RedisConnection,
} from '@millrace/redis';
import type { Backend, LeaseSettings, LogReader } from '../../packages/client/src/connect/backend.ts';
import type { Lease, LeaseListener } from '../../packages/client/src/lease/lease-keeper.ts';
import type { ConnectionRole, SimConnection } from './sim-connection.ts';
import { SimGroupStore } from './sim-group-store.ts';
import { keys, type Found, type SimRedis } from './sim-redis.ts';

/** What a process gives its client: connections, and threads. */
export interface BackendPorts {
  readonly redis: SimRedis;
  readonly clock: Clock;
  readonly random: Random;
  readonly command: SimConnection;
  connect(role: ConnectionRole): SimConnection;
  startLease(settings: LeaseSettings, listener: LeaseListener): Promise<Lease>;
}

export function createSimBackend(ports: BackendPorts): Backend {
  const { redis, command, clock, random } = ports;
  return {
    partitions: {
      acquire: (request) => command.call('acquire', () => redis.acquire(request)),
      commit: (fence, offset, fingerprint) =>
        command.call('commit', () => redis.commit(fence, offset, fingerprint)),
      release: (fence) => command.call('release', () => redis.release(fence)),
      seek: (fence, offset, nextNonce) => command.call('seek', () => redis.seek(fence, offset, nextNonce)),
      progress: (topic, partition, group) =>
        command.call('progress', () => redis.progress(topic, partition, group)),
      fingerprints: (topic, partition, nextOffsets) =>
        command.call('fingerprints', () => redis.fingerprints(topic, partition, nextOffsets)),
      trim: (request) => command.call('trim', () => redis.trim(request)),
    },
    topics: {
      partitionCounts: () =>
        command.call(
          'topics',
          () => new Map([...redis.catalogue()].map(([topic, { partitions }]) => [topic, partitions])),
        ),
      catalogue: () => command.call('topics', () => redis.catalogue()),
    },
    groupStore: (group) => new SimGroupStore(command, redis, group, clock, random),
    openReader: async () => {
      const connection = ports.connect('reader');
      await connection.opened();
      return new SimLogReader(connection, command, redis);
    },
    openLease: (settings, listener) => ports.startLease(settings, listener),
    onReconnect(run) {
      command.on('ready', run);
      return () => void command.off('ready', run);
    },
    onServerChange: (run) => onServerChange(infoConnection(command, redis), run),
  };
}

function infoConnection(connection: SimConnection, redis: SimRedis): RedisConnection {
  const info = {
    get status() {
      return connection.status;
    },
    info: () => connection.call('info', () => `run_id:${redis.server}\r\nmaster_replid:${redis.server}\r\n`),
    on: (event: string, run: () => void) => connection.on(event, run),
    off: (event: string, run: () => void) => connection.off(event, run),
    disconnect: () => connection.cut({ forMs: 0, isLate: false, halfOpenMs: 0 }),
  };
  return info as unknown as RedisConnection;
}

/** The real checks of `readBatches` over the model's XREAD. */
class SimLogReader implements LogReader, EntryReader {
  readonly #connection: SimConnection;
  readonly #command: SimConnection;
  readonly #redis: SimRedis;

  constructor(connection: SimConnection, command: SimConnection, redis: SimRedis) {
    this.#connection = connection;
    this.#command = command;
    this.#redis = redis;
  }

  read(
    positions: readonly ReadPosition[],
    maxEntries: number,
    blockMs: number,
  ): Promise<readonly StoredBatch[]> {
    return readBatches(this, positions, { maxEntries, blockMs });
  }

  async readEntries<T>(
    positions: readonly ReadPosition[],
    { maxEntries, blockMs = 0 }: ReadOptions,
    take: (answer: ReadAnswer) => T,
  ): Promise<T> {
    const { session } = this.#connection;
    let server = '';
    const found = await this.#connection.callLater<Found>('xread', (reply) => {
      // INFO travels with XREAD and is answered at the same moment.
      server = this.#redis.server;
      this.#redis.read(this.#connection, session, positions, maxEntries, blockMs, reply);
    });
    return take({ names: positions.map(nameOf), streams: found.map(toStream), server });
  }

  unblock(): Promise<void> {
    return this.#command.call('unblock', () => this.#redis.unblock(this.#connection));
  }

  async close(): Promise<void> {
    this.#connection.close();
  }
}

const TIME = Buffer.from('t');
const BATCH = Buffer.from('b');

function nameOf({ topic, partition }: ReadPosition): string {
  return keys.partition(topic, partition).log;
}

function toStream([position, entries]: Found[number]): ReadAnswer['streams'][number] {
  return [
    Buffer.from(nameOf(position)),
    entries.map(({ nextOffset, appendedMs, batch }) => [
      Buffer.from(`0-${nextOffset}`),
      [
        TIME,
        Buffer.from(String(appendedMs)),
        BATCH,
        Buffer.from(batch.buffer, batch.byteOffset, batch.length),
      ],
    ]),
  ];
}
