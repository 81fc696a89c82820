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
import { ReadTurns } from './read-turns.ts';

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
  /** So much that these are given one entry at a time: a thousand of them with all that one may hold are 512 MiB. */
  isCrowded(): boolean;
  onTransportFailure(error: unknown, during: string): void;
}

/** Of one lane in one read. Sizes seen say little where large entries follow small ones. */
const MAX_ENTRIES = 256;
const RETRY_MS = 100;
const SMALL_READ_BYTES = 65_536;
/** Longest block where CLIENT UNBLOCK is not permitted: what begins to be wanted waits that long. */
const SHORT_BLOCK_MS = 250;
const MAX_UNBLOCK_PAUSE_MS = 64;

/** What one read asks of a lane. One that was sought meanwhile has another version, and its answer counts for nothing. */
interface Question {
  readonly lane: Lane;
  readonly version: number;
  /** Entries that came back for it. */
  entries: number;
}

type Asked = ReadonlyMap<string, Question>;

/**
 * Lanes at their log's end that are asked along with those that have a backlog. Asking all of them every time would make
 * a read of a thousand partitions as dear as the records that it brings; so they take turns.
 */
const MAX_CURRENT_LANES = 64;
/** And not with every read: each of them is a key and an id in the command, and a look-up in Redis. */
const CURRENT_PAUSE_MS = 5;
/** What lanes at their ends may bring all together, in reads: 8 MiB, as much as may be buffered. */
const MOST_READS_AT_ONCE = 8;
/** What a backlog may bring, in reads: lanes that bring little for long, and then much, are read together once. */
const MOST_OF_BACKLOG = 1.5;
/** What a lane with a backlog is taken to bring before one was read. */
const MAX_LANE_BYTES = 1_048_576;
/** Not less, whatever reads brought: doubling it from next to nothing takes hundreds of reads, of an entry or two of each. */
const MIN_LANE_BYTES = 1_024;

export class Fetcher {
  readonly #port: FetcherPort;
  readonly #changed = new ChangeSignal();
  /** Longest block, ms. An idle consumer sends one read in this time. */
  #blockMs = MAX_BLOCK_MS;
  readonly #behind: ReadTurns<Lane>;
  readonly #current: ReadTurns<Lane>;
  /** What a lane with a backlog brought of late. Less than it may where a backlog is short: then more of them are read at once. */
  #laneBytes = MAX_LANE_BYTES;
  /** When lanes at their end were last asked along with those behind. */
  #currentAskedMs = Number.NEGATIVE_INFINITY;
  /** Set while a read blocks. */
  #blocked: Asked | null = null;
  /** The read that has to end early. */
  #interrupted: Asked | null = null;
  #isUnblocking = false;
  #isClosed = false;
  #ended: Promise<void> | null = null;

  constructor(port: FetcherPort) {
    this.#port = port;
    const lanes = (): Iterable<Lane> => port.lanes();
    this.#behind = new ReadTurns(lanes, (lane) => !lane.isAtEnd && this.#mayAsk(lane));
    this.#current = new ReadTurns(lanes, (lane) => lane.isAtEnd && this.#mayAsk(lane));
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
      const behind = this.#takeBehind();
      const current = behind.length === 0 ? this.#current.all() : this.#takeCurrent();
      if (behind.length + current.length === 0) {
        await this.#changed.wait();
        continue;
      }
      try {
        const readBytes = await this.#readFor(behind, current);
        // Whoever waits for these records goes first: asking for more is work as well, and little is behind.
        if (readBytes > 0 && readBytes < SMALL_READ_BYTES) await this.#port.clock.nextTurn();
      } catch (error) {
        if (this.#isClosed) return;
        this.#port.onTransportFailure(error, 'fetch');
        await delay(this.#port.clock, RETRY_MS);
      }
    }
  }

  /** With room, as long as all of them together have: beyond that only one that would otherwise stand still. */
  #mayAsk(lane: Lane): boolean {
    return lane.wantsFetch && (lane.bufferedBytes === 0 || !this.#port.isFull());
  }

  /**
   * Much of a few lanes rather than little of all: what is delivered together is committed together, and one entry of each of
   * a thousand lanes would be a commit for each entry.
   */
  #takeBehind(): readonly Lane[] {
    const chosen: Lane[] = [];
    let [mostOfOne, entryBytes] = [Number.POSITIVE_INFINITY, 1];
    for (let lane = this.#behind.first(); lane !== undefined; lane = this.#behind.next()) {
      chosen.push(lane);
      mostOfOne = Math.min(mostOfOne, lane.maxReadBytes);
      entryBytes = Math.max(entryBytes, lane.entryBytes);
      const perLane = Math.max(entryBytes, Math.min(mostOfOne, MAX_ENTRIES * entryBytes, this.#laneBytes));
      if ((chosen.length + 1) * perLane > this.#port.maxReadBytes()) break;
    }
    return chosen;
  }

  /** Those at their end that are asked along with a backlog: now and then. */
  #takeCurrent(): readonly Lane[] {
    const chosen: Lane[] = [];
    const nowMs = this.#port.clock.monotonicMs();
    if (nowMs - this.#currentAskedMs < CURRENT_PAUSE_MS) return chosen;
    this.#currentAskedMs = nowMs;
    for (let lane = this.#current.first(); lane !== undefined; lane = this.#current.next()) {
      chosen.push(lane);
      if (chosen.length === MAX_CURRENT_LANES) break;
    }
    return chosen;
  }

  /**
   * Answers how many bytes it brought. Lanes at their end have a command of their own beside a backlog's: COUNT is the same
   * for all of one command, and that many lanes would leave those with a backlog one entry each.
   */
  async #readFor(behind: readonly Lane[], current: readonly Lane[]): Promise<number> {
    const readBytes = this.#port.maxReadBytes();
    const mostOfCurrent = MOST_READS_AT_ONCE * readBytes;
    if (behind.length === 0) return this.#read(current, mostOfCurrent, true);
    const backlog = this.#read(behind, MOST_OF_BACKLOG * readBytes, false);
    const news = current.length === 0 ? 0 : this.#read(current, mostOfCurrent, false);
    // Also where one fails, both are over before anything is asked again, and before `close` ends.
    await Promise.allSettled([backlog, news]);
    const [backlogBytes, newsBytes] = await Promise.all([backlog, news]);
    // Where one was cut off, nobody knows how much it had; taking that for little would cut them shorter each time.
    if (behind.some((lane) => !lane.isAtEnd)) {
      this.#laneBytes = Math.min(MAX_LANE_BYTES, this.#laneBytes * 2);
    } else {
      const mean = this.#laneBytes + (backlogBytes / behind.length - this.#laneBytes) / 8;
      this.#laneBytes = Math.max(MIN_LANE_BYTES, mean);
    }
    return backlogBytes + newsBytes;
  }

  /** `mostBytes`: what it may bring, roughly. */
  async #read(lanes: readonly Lane[], mostBytes: number, mayBlock: boolean): Promise<number> {
    const asked = new Map<string, Question>();
    const positions: ReadPosition[] = [];
    for (const lane of lanes) {
      asked.set(lane.key, { lane, version: lane.version, entries: 0 });
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
      const maxEntries = this.#entriesPerLane(lanes, mostBytes);
      const batches = await this.#port.read(positions, maxEntries, mayBlock ? this.#blockMs : 0);
      return distribute(batches, asked, maxEntries);
    } catch (error) {
      if (!(await this.#isDealtWith(error, asked))) throw error;
      return 0;
    } finally {
      if (mayBlock) this.#blocked = null;
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

  /**
   * XREAD's COUNT is per stream, and a reply without bound can take the server's memory: bound it by sizes seen, and by
   * what one lane may hold. Lanes at their end are not expected to bring much. They do where nobody could read for a while
   * (Redis was away, a handler kept the event loop), and then all of them together.
   */
  #entriesPerLane(lanes: readonly Lane[], mostBytes: number): number {
    if (this.#port.isCrowded()) return 1;
    const share = Math.min(mayHoldBytes(lanes), this.#port.maxReadBytes(), mostBytes / lanes.length);
    return Math.max(1, Math.min(MAX_ENTRIES, Math.floor(share / largestEntryBytes(lanes))));
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

/** Answers how many bytes there were. */
function distribute(batches: readonly StoredBatch[], asked: Asked, maxEntries: number): number {
  let bytes = 0;
  for (const batch of batches) {
    bytes += batch.bytes.length;
    const question = asked.get(batch.partition);
    if (question === undefined || question.lane.version !== question.version) continue;
    question.entries++;
    question.lane.accept(batch);
  }
  for (const { lane, version, entries } of asked.values())
    // With fewer entries than it asked for, there was no more.
    lane.isAtEnd = lane.version === version && entries < maxEntries;
  return bytes;
}

function mayHoldBytes(lanes: readonly Lane[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const lane of lanes) least = Math.min(least, lane.maxReadBytes);
  return least;
}

function largestEntryBytes(lanes: readonly Lane[]): number {
  let largest = 1;
  for (const lane of lanes) largest = Math.max(largest, lane.entryBytes);
  return largest;
}
