/** All that a consumer asks of Redis, answered by the simulated one through connections that fail. */
import type { Clock, Random, StoredBatch } from '@millrace/core';
import { onServerChange, readBatches, type ReadPosition, type RedisConnection } from '@millrace/redis';
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
class SimLogReader implements LogReader {
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
    const { session } = this.#connection;
    // INFO travels with XREAD and is answered at the same moment.
    const server = Promise.withResolvers<string>();
    const info = async (): Promise<string> => `master_replid:${await server.promise}`;
    const xreadBuffer = async (): Promise<unknown> => {
      const found = await this.#connection.callLater<Found>('xread', (reply) => {
        server.resolve(this.#redis.server);
        this.#redis.read(this.#connection, session, positions, maxEntries, blockMs, reply);
      });
      return found.length === 0 ? null : found.map(([position, entries]) => toReply(position, entries));
    };
    return readBatches({ xreadBuffer, info } as unknown as RedisConnection, keys, positions, {
      maxEntries,
      blockMs,
    });
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

function toReply({ topic, partition }: ReadPosition, entries: Found[number][1]): unknown {
  return [
    Buffer.from(keys.partition(topic, partition).log),
    entries.map(({ nextOffset, appendedMs, batch }) => [
      Buffer.from(`0-${nextOffset}`),
      [TIME, Buffer.from(String(appendedMs)), BATCH, batch],
    ]),
  ];
}
