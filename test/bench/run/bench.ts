/** What every row gets: the server, the number of rounds, and the means to measure the server. */
import type { RedisServer } from '@millrace/testkit';
import type { Redis } from 'ioredis';
import type { Progress } from './progress.ts';

export const PEERS = ['ioredis', 'bullmq', 'nats'] as const;
export type Peer = (typeof PEERS)[number];

export interface BenchSettings {
  readonly redis: RedisServer;
  /** For looking at the server, never for what is measured. */
  readonly control: Redis;
  readonly rounds: number;
  readonly peers: ReadonlySet<Peer>;
  readonly scale: number;
  readonly progress: Progress;
}

export class Bench {
  readonly redis: RedisServer;
  readonly control: Redis;
  readonly rounds: number;
  readonly peers: ReadonlySet<Peer>;
  readonly progress: Progress;
  readonly #scale: number;

  constructor({ redis, control, rounds, peers, scale, progress }: BenchSettings) {
    this.redis = redis;
    this.control = control;
    this.rounds = rounds;
    this.peers = peers;
    this.progress = progress;
    this.#scale = scale;
  }

  /** A number of records, made as small as `--scale` says; a multiple of `unit`. */
  count(records: number, unit = 1): number {
    return Math.max(1, Math.round((records * this.#scale) / unit)) * unit;
  }

  async redisCpuSeconds(): Promise<number> {
    const info = await this.control.info('cpu');
    return numberOf(info, 'used_cpu_user') + numberOf(info, 'used_cpu_sys');
  }

  /** Bytes that the server holds for data: without its clients' buffers and its own tables. */
  async datasetBytes(): Promise<number> {
    return numberOf(await this.control.info('memory'), 'used_memory_dataset');
  }

  /** Everything that was written is gone: between rows, when their processes have ended. */
  async clear(): Promise<void> {
    await this.control.flushall('SYNC');
  }
}

function numberOf(info: string, field: string): number {
  const found = new RegExp(`^${field}:([0-9.]+)`, 'm').exec(info)?.[1];
  if (found === undefined) throw new Error(`INFO has no ${field}`);
  return Number(found);
}
