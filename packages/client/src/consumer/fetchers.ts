/**
 * All reading of one consumer: one loop for each source, that is, for what can be read together. One Redis server is one
 * source. In a cluster each slot is one, so that a slot with a backlog, or a node that hangs, keeps no other waiting.
 */
import type { Clock } from '@millrace/core';
import type { LogReader } from '../connect/backend.ts';
import { Fetcher } from './fetcher.ts';
import type { Lane } from './lane.ts';

export interface FetchersPort {
  readonly clock: Clock;
  lanes(): Iterable<Lane>;
  /** Another number whenever what `lanes` gives, or what one of them wants to be read for, has changed. */
  lanesRevision(): number;
  /** Of all lanes. */
  bufferedBytes(): number;
  /** Open before the first lane begins. */
  reader(): LogReader;
  onTransportFailure(error: unknown, during: string): void;
}

/** What all reads that are under way may bring, roughly, as long as that leaves each of them something. */
const MAX_READ_BYTES = 1_048_576;
const MIN_READ_BYTES = 262_144;
/** Fetched and not processed yet, all partitions together: a consumer that is slower than its producers stays small. */
const MAX_TOTAL_BYTES = 8 * 1_048_576;
/**
 * Beyond the total every partition without a record still gets some, or it would stand still behind the slow handlers of
 * others. Up to here as many as without the bound: small pieces would cost a fast consumer of many partitions a commit each.
 */
const CROWDED_BYTES = 4 * MAX_TOTAL_BYTES;

export class Fetchers {
  readonly #port: FetchersPort;
  /** By source. One whose partitions went elsewhere sleeps until they come back. */
  readonly #fetchers = new Map<string, Fetcher>();
  #isStarted = false;

  constructor(port: FetchersPort) {
    this.#port = port;
  }

  start(): void {
    this.#isStarted = true;
    for (const lane of this.#port.lanes()) this.notify(lane);
  }

  /** The lane wants records. */
  notify(lane: Lane): void {
    if (!this.#isStarted) return;
    const source = this.#sourceOf(lane);
    let fetcher = this.#fetchers.get(source);
    if (fetcher === undefined) {
      fetcher = this.#createFetcher(source);
      this.#fetchers.set(source, fetcher);
      fetcher.start();
    }
    fetcher.notify(lane);
  }

  async close(): Promise<void> {
    this.#isStarted = false;
    await Promise.all([...this.#fetchers.values()].map((fetcher) => fetcher.close()));
  }

  #createFetcher(source: string): Fetcher {
    const { clock } = this.#port;
    return new Fetcher({
      clock,
      lanes: () => (this.#port.reader().sourceOf === undefined ? this.#port.lanes() : this.#lanesOf(source)),
      lanesRevision: () => this.#port.lanesRevision(),
      read: (positions, maxEntries, blockMs) => this.#port.reader().read(positions, maxEntries, blockMs),
      unblock: () => this.#port.reader().unblock(source),
      maxReadBytes: () => Math.max(MIN_READ_BYTES, Math.floor(MAX_READ_BYTES / this.#fetchers.size)),
      isFull: () => this.#port.bufferedBytes() >= MAX_TOTAL_BYTES,
      isCrowded: () => this.#port.bufferedBytes() >= CROWDED_BYTES,
      onTransportFailure: (error, during) => this.#port.onTransportFailure(error, during),
    });
  }

  #sourceOf(lane: Lane): string {
    return this.#port.reader().sourceOf?.(lane.key) ?? '';
  }

  *#lanesOf(source: string): Generator<Lane> {
    for (const lane of this.#port.lanes()) if (this.#sourceOf(lane) === source) yield lane;
  }
}
