/**
 * One loop, one connection: reads ahead for all lanes that have room. While some lane may have a backlog it reads
 * without blocking; when all of them stand at their log's end it blocks on all at once. A lane that begins to want
 * records while the read is blocked (new, resumed, drained) ends the block by CLIENT UNBLOCK.
 *
 * Rejected: a nudge stream per reader inside the XREAD (a key that stays behind after a crash), and destroying the
 * socket (a new TLS handshake for every change).
 */
import { DataError, type Clock, type StoredBatch } from '@millrace/core';
import { delay } from '../clock/delay.ts';
import { ChangeSignal } from './change-signal.ts';
import type { Lane } from './lane.ts';

export interface ReadPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface FetcherPort {
  readonly clock: Clock;
  lanes(): Iterable<Lane>;
  /** Entries in order per partition; `blockMs` 0 returns at once. */
  read(
    positions: readonly ReadPosition[],
    maxEntries: number,
    blockMs: number,
  ): Promise<readonly StoredBatch[]>;
  /** Ends a blocked read; false when none was blocked. */
  unblock(): Promise<boolean>;
  onTransportFailure(error: unknown, during: string): void;
}

export interface FetcherSettings {
  /** Longest block, ms. An idle consumer sends one command in this time. */
  readonly blockMs: number;
  /** Bytes that one read may bring, roughly. */
  readonly maxReadBytes: number;
}

const MAX_ENTRIES = 1_000;
const RETRY_MS = 100;

export class Fetcher {
  readonly #port: FetcherPort;
  readonly #settings: FetcherSettings;
  readonly #changed = new ChangeSignal();
  /** Counts reads, so that an unblock never hits a later one than it was meant for. */
  #blockedRead = 0;
  #isBlocked = false;
  #isUnblocking = false;
  #isClosed = false;
  #ended: Promise<void> | null = null;

  constructor(port: FetcherPort, settings: FetcherSettings) {
    this.#port = port;
    this.#settings = settings;
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Some lane may want what the running read does not ask for. */
  notify(): void {
    this.#changed.notify();
    if (this.#isBlocked && !this.#isUnblocking) void this.#unblock();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.notify();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const wanting = [...this.#port.lanes()].filter((lane) => lane.wantsFetch);
      if (wanting.length === 0) {
        await this.#changed.wait();
        continue;
      }
      try {
        await this.#readFor(wanting);
      } catch (error) {
        if (this.#isClosed) return;
        if (error instanceof DataError) {
          haltLaneOf(error, wanting);
          continue;
        }
        this.#port.onTransportFailure(error, 'fetch');
        await delay(this.#port.clock, RETRY_MS);
      }
    }
  }

  async #readFor(lanes: readonly Lane[]): Promise<void> {
    const mayBlock = lanes.every((lane) => lane.isAtEnd);
    const byKey = new Map<string, { lane: Lane; version: number }>();
    const positions: ReadPosition[] = [];
    for (const lane of lanes) {
      byKey.set(lane.key, { lane, version: lane.version });
      positions.push({ topic: lane.topic, partition: lane.partition, offset: lane.fetchPosition });
    }
    let batches: readonly StoredBatch[];
    if (mayBlock) {
      this.#blockedRead++;
      this.#isBlocked = true;
    }
    try {
      batches = await this.#port.read(
        positions,
        this.#entriesPerLane(lanes),
        mayBlock ? this.#settings.blockMs : 0,
      );
    } finally {
      this.#isBlocked = false;
    }
    for (const { lane } of byKey.values()) lane.isAtEnd = true;
    for (const batch of batches) {
      const asked = byKey.get(batch.partition);
      // Sought or ended while the read was under way: the records are of another position or another owner's.
      if (asked === undefined || asked.lane.version !== asked.version) continue;
      asked.lane.isAtEnd = false;
      asked.lane.accept(batch);
    }
    for (const { lane, version } of byKey.values()) if (lane.version !== version) lane.isAtEnd = false;
  }

  /** XREAD's COUNT is per stream, and a reply without bound can take the server's memory: bound it by sizes seen. */
  #entriesPerLane(lanes: readonly Lane[]): number {
    let largest = 1;
    for (const lane of lanes) largest = Math.max(largest, lane.entryBytes);
    const entries = Math.floor(this.#settings.maxReadBytes / lanes.length / largest);
    return Math.max(1, Math.min(MAX_ENTRIES, entries));
  }

  async #unblock(): Promise<void> {
    this.#isUnblocking = true;
    const read = this.#blockedRead;
    try {
      // The command travels on another connection and may overtake the read: again until the read has returned.
      while (this.#isBlocked && this.#blockedRead === read) {
        if (await this.#port.unblock()) return;
        await delay(this.#port.clock, 1);
      }
    } catch (error) {
      // The block ends by itself; it only takes longer.
      this.#port.onTransportFailure(error, 'unblock');
    } finally {
      this.#isUnblocking = false;
    }
  }
}

/** What is wrong with one partition's log must not keep the others from being read. */
function haltLaneOf(error: DataError, lanes: readonly Lane[]): void {
  const { topic, partition } = error.details;
  const lane = lanes.find((candidate) => candidate.topic === topic && candidate.partition === partition);
  // An error that names no partition would come back at once and for ever: then every lane stops and says so.
  for (const affected of lane === undefined ? lanes : [lane]) affected.halt(error);
}
