/**
 * One loop for all lanes that can be read together: reads ahead for those that have room. While some lane may have a
 * backlog it reads without blocking; when all of them stand at their log's end it blocks on all at once. A lane that
 * begins to want records while the read is blocked (new, resumed, drained) ends the block by CLIENT UNBLOCK.
 *
 * Rejected: a nudge stream per reader inside the XREAD (a key that stays behind after a crash), and destroying the
 * socket (a new TLS handshake for every change).
 */
import { ConfigError, DataError, type Clock, type StoredBatch } from '@millrace/core';
import { MAX_BLOCK_MS, OtherServerError, type ReadPosition } from '@millrace/redis';
import { delay } from '../clock/delay.ts';
import { ChangeSignal } from './change-signal.ts';
import type { Lane } from './lane.ts';

export interface FetcherPort {
  readonly clock: Clock;
  /** Those that this loop reads for. */
  lanes(): Iterable<Lane>;
  /** Entries in order per partition; `blockMs` 0 returns at once. */
  read(
    positions: readonly ReadPosition[],
    maxEntries: number,
    blockMs: number,
  ): Promise<readonly StoredBatch[]>;
  /** Ends the read that is blocked at that moment, if there is one. Throws ConfigError where that is not permitted. */
  unblock(): Promise<void>;
  /** Bytes that one read may bring, roughly. */
  maxReadBytes(): number;
  /** So much is fetched already that only lanes without any record are read for. */
  isFull(): boolean;
  onTransportFailure(error: unknown, during: string): void;
}

const MAX_ENTRIES = 1_000;
const RETRY_MS = 100;
/** Longest block where CLIENT UNBLOCK is not permitted: what begins to be wanted waits that long. */
const SHORT_BLOCK_MS = 250;
const MAX_UNBLOCK_PAUSE_MS = 64;

/** What one read asks for. A lane that was sought meanwhile has another version, and its answer counts for nothing. */
type Asked = ReadonlyMap<string, { readonly lane: Lane; readonly version: number }>;

export class Fetcher {
  readonly #port: FetcherPort;
  readonly #changed = new ChangeSignal();
  /** Longest block, ms. An idle consumer sends one read in this time. */
  #blockMs = MAX_BLOCK_MS;
  #turn = 0;
  /** Set while a read blocks. */
  #blocked: Asked | null = null;
  /** The read that has to end early. */
  #interrupted: Asked | null = null;
  #isUnblocking = false;
  #isClosed = false;
  #ended: Promise<void> | null = null;

  constructor(port: FetcherPort) {
    this.#port = port;
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** The lane wants records; ends a blocked read that does not ask for them. */
  notify(lane: Lane): void {
    const asked = this.#blocked?.get(lane.key);
    if (asked?.lane === lane && asked.version === lane.version) return;
    this.#interrupt();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#interrupt();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const lanes = this.#choose();
      if (lanes.length === 0) {
        await this.#changed.wait();
        continue;
      }
      try {
        await this.#readFor(lanes);
      } catch (error) {
        if (this.#isClosed) return;
        this.#port.onTransportFailure(error, 'fetch');
        await delay(this.#port.clock, RETRY_MS);
      }
    }
  }

  /** Lanes with room, as long as all of them together have: beyond that only those that would otherwise stand still. */
  #choose(): Lane[] {
    const isFull = this.#port.isFull();
    const lanes: Lane[] = [];
    for (const lane of this.#port.lanes()) {
      if (lane.wantsFetch && (!isFull || lane.bufferedBytes === 0)) lanes.push(lane);
    }
    return lanes;
  }

  async #readFor(wanting: readonly Lane[]): Promise<void> {
    const mayBlock = wanting.every((lane) => lane.isAtEnd);
    // One entry of each lane at least comes back: with large entries only some lanes may ask at a time, in turn.
    const lanes = mayBlock ? wanting : this.#takeTurns(wanting);
    const asked = new Map<string, { lane: Lane; version: number }>();
    const positions: ReadPosition[] = [];
    for (const lane of lanes) {
      asked.set(lane.key, { lane, version: lane.version });
      positions.push({
        topic: lane.topic,
        partition: lane.partition,
        offset: lane.fetchPosition,
        atBatchStart: lane.isAtBatchStart,
        server: lane.fence.server,
      });
    }
    if (mayBlock) this.#blocked = asked;
    try {
      const entries = this.#entriesPerLane(lanes);
      const batches = await this.#port.read(positions, entries, mayBlock ? this.#blockMs : 0);
      distribute(batches, asked);
    } catch (error) {
      if (!(await this.#isDealtWith(error, asked))) throw error;
    } finally {
      this.#blocked = null;
    }
  }

  /** What is wrong with one partition's log must not keep the others from being read. */
  async #isDealtWith(error: unknown, asked: Asked): Promise<boolean> {
    if (error instanceof OtherServerError) {
      for (const { lane } of asked.values())
        if (lane.fence.server !== error.server) lane.lose('server-changed');
      // A connection that lags behind the failover would say the same of what is acquired anew, again and again.
      await delay(this.#port.clock, RETRY_MS);
      return true;
    }
    if (!(error instanceof DataError)) return false;
    const { topic, partition } = error.details;
    const found = [...asked.values()].find(
      ({ lane }) => lane.topic === topic && lane.partition === partition,
    );
    // An error that names no partition would come back at once and for ever: then every lane stops and says so.
    if (found === undefined) for (const { lane } of asked.values()) lane.halt(error);
    else if (found.lane.version === found.version) await found.lane.onUnreadable(error);
    return true;
  }

  #takeTurns(wanting: readonly Lane[]): readonly Lane[] {
    const count = Math.max(1, Math.floor(this.#port.maxReadBytes() / largestEntryBytes(wanting)));
    if (count >= wanting.length) return wanting;
    const first = this.#turn % wanting.length;
    this.#turn = first + count;
    return [...wanting.slice(first), ...wanting.slice(0, first)].slice(0, count);
  }

  /** XREAD's COUNT is per stream, and a reply without bound can take the server's memory: bound it by sizes seen. */
  #entriesPerLane(lanes: readonly Lane[]): number {
    const entries = Math.floor(this.#port.maxReadBytes() / lanes.length / largestEntryBytes(lanes));
    return Math.max(1, Math.min(MAX_ENTRIES, entries));
  }

  #interrupt(): void {
    this.#changed.notify();
    if (this.#blocked === null || this.#blockMs <= SHORT_BLOCK_MS) return;
    this.#interrupted = this.#blocked;
    if (!this.#isUnblocking) void this.#unblock();
  }

  async #unblock(): Promise<void> {
    this.#isUnblocking = true;
    try {
      // The command travels on another connection and may overtake the read, or hit the one before: again until the
      // read that is meant has returned.
      for (let pauseMs = 1; this.#blocked !== null && this.#blocked === this.#interrupted; pauseMs *= 2) {
        await this.#port.unblock();
        // Where it hits nobody (the connection has another id by now), the block ends by itself.
        await delay(this.#port.clock, Math.min(pauseMs, MAX_UNBLOCK_PAUSE_MS));
      }
    } catch (error) {
      // The block ends by itself; it only takes longer. Where the Redis user may not, blocks are short from now on.
      if (error instanceof ConfigError) this.#blockMs = Math.min(this.#blockMs, SHORT_BLOCK_MS);
      this.#port.onTransportFailure(error, 'unblock');
    } finally {
      this.#isUnblocking = false;
    }
  }
}

function distribute(batches: readonly StoredBatch[], asked: Asked): void {
  for (const { lane, version } of asked.values()) lane.isAtEnd = lane.version === version;
  for (const batch of batches) {
    const entry = asked.get(batch.partition);
    if (entry === undefined || entry.lane.version !== entry.version) continue;
    entry.lane.isAtEnd = false;
    entry.lane.accept(batch);
  }
}

function largestEntryBytes(lanes: readonly Lane[]): number {
  let largest = 1;
  for (const lane of lanes) largest = Math.max(largest, lane.entryBytes);
  return largest;
}
