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
import { AskedLanes, MAX_ENTRIES, type Brought } from './asked-lanes.ts';
import { ChangeSignal } from './change-signal.ts';
import type { Lane } from './lane.ts';
import { ReadTurns } from './read-turns.ts';

export interface FetcherPort {
  readonly clock: Clock;
  /** Those that this loop reads for. */
  lanes(): Iterable<Lane>;
  /**
   * Another number whenever a lane came or went, was sought, or began or ceased to want records. As long as it is the same,
   * a read that nobody fell behind with is repeated without a look at every lane.
   */
  lanesRevision(): number;
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

const NOTHING: Brought = { records: 0, bytes: 0 };
const RETRY_MS = 100;
const SMALL_READ_BYTES = 65_536;
/** Longest block where CLIENT UNBLOCK is not permitted: what begins to be wanted waits that long. */
const SHORT_BLOCK_MS = 250;
const MAX_UNBLOCK_PAUSE_MS = 64;

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
  #blocked: AskedLanes | null = null;
  /** The read that has to end early. */
  #interrupted: AskedLanes | null = null;
  /** Of all that want to be read for, all of them at their end: it is repeated when nothing but its answer has changed. */
  #standing: AskedLanes | null = null;
  /** When the standing read was put together; NaN where it must not be repeated. */
  #standingRevision = Number.NaN;
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
    if (this.#blocked?.asks(lane) !== true) this.#interrupt();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#interrupt();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const reading = this.#beginRead();
        if (reading === null) {
          await this.#changed.wait();
          continue;
        }
        const { records, bytes } = await reading;
        // Whoever waits for these records goes first: asking for more is work as well, and little is behind. One alone
        // holds up nobody.
        if (records > 1 && bytes < SMALL_READ_BYTES) await this.#port.clock.nextTurn();
      } catch (error) {
        if (this.#isClosed) return;
        this.#port.onTransportFailure(error, 'fetch');
        await delay(this.#port.clock, RETRY_MS);
      }
    }
  }

  /** Null when nobody wants records. */
  #beginRead(): Promise<Brought> | null {
    const standing = this.#takeStanding();
    if (standing !== null) return this.#readStanding(standing);
    const behind = this.#takeBehind();
    if (behind.length > 0) return this.#readBacklog(behind, this.#takeCurrent());
    const current = this.#current.all();
    if (current.length === 0) return null;
    // Where all is full it leaves out lanes that nobody tells of when that is over.
    this.#standingRevision = this.#port.isFull() ? Number.NaN : this.#port.lanesRevision();
    return this.#readStanding(new AskedLanes(current));
  }

  /** Null where all lanes have to be looked at. */
  #takeStanding(): AskedLanes | null {
    const standing = this.#standing;
    this.#standing = null;
    if (standing === null || !standing.areAtEnd || this.#port.isFull()) return null;
    return this.#port.lanesRevision() === this.#standingRevision ? standing : null;
  }

  async #readStanding(standing: AskedLanes): Promise<Brought> {
    const brought = await this.#read(standing, MOST_READS_AT_ONCE * this.#port.maxReadBytes(), true);
    // A read that brought nothing has waited for long, or went wrong: looking at all lanes costs nothing then.
    if (brought.records > 0) this.#standing = standing;
    return brought;
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
   * Lanes at their end have a command of their own beside a backlog's: COUNT is the same for all of one command, and that many
   * lanes would leave those with a backlog one entry each.
   */
  async #readBacklog(behind: readonly Lane[], current: readonly Lane[]): Promise<Brought> {
    const readBytes = this.#port.maxReadBytes();
    const backlog = this.#read(new AskedLanes(behind), MOST_OF_BACKLOG * readBytes, false);
    const news =
      current.length === 0
        ? NOTHING
        : this.#read(new AskedLanes(current), MOST_READS_AT_ONCE * readBytes, false);
    // Also where one fails, both are over before anything is asked again, and before `close` ends.
    await Promise.allSettled([backlog, news]);
    const [{ records, bytes }, brought] = await Promise.all([backlog, news]);
    // Where one was cut off, nobody knows how much it had; taking that for little would cut them shorter each time.
    if (behind.some((lane) => !lane.isAtEnd)) {
      this.#laneBytes = Math.min(MAX_LANE_BYTES, this.#laneBytes * 2);
    } else {
      const mean = this.#laneBytes + (bytes / behind.length - this.#laneBytes) / 8;
      this.#laneBytes = Math.max(MIN_LANE_BYTES, mean);
    }
    return { records: records + brought.records, bytes: bytes + brought.bytes };
  }

  /** `mostBytes`: what it may bring, roughly. */
  async #read(asked: AskedLanes, mostBytes: number, mayBlock: boolean): Promise<Brought> {
    if (mayBlock) this.#blocked = asked;
    try {
      const maxEntries = this.#port.isCrowded()
        ? 1
        : asked.entriesPerLane(mostBytes, this.#port.maxReadBytes());
      const batches = await this.#port.read(asked.positions, maxEntries, mayBlock ? this.#blockMs : 0);
      return asked.take(batches, maxEntries);
    } catch (error) {
      if (!(await this.#isDealtWith(error, asked))) throw error;
      return NOTHING;
    } finally {
      if (mayBlock) this.#blocked = null;
    }
  }

  /** What is wrong with one partition's log must not keep the others from being read. */
  async #isDealtWith(error: unknown, asked: AskedLanes): Promise<boolean> {
    if (error instanceof OtherServerError) {
      for (const { lane } of asked.questions())
        if (lane.fence.server !== error.server) lane.lose('server-changed');
      // A connection that lags behind the failover would say the same of what is acquired anew, again and again.
      await delay(this.#port.clock, RETRY_MS);
      return true;
    }
    if (!(error instanceof DataError)) return false;
    const { topic, partition } = error.details;
    const found = [...asked.questions()].find(
      ({ lane }) => lane.topic === topic && lane.partition === partition,
    );
    // An error that names no partition would come back at once and for ever: then every lane stops and says so.
    if (found === undefined) for (const { lane } of asked.questions()) lane.halt(error);
    else if (found.lane.version === found.version) await found.lane.onUnreadable(error);
    return true;
  }

  #interrupt(): void {
    this.#changed.notify();
    if (this.#blocked === null || this.#blockMs <= SHORT_BLOCK_MS) return;
    this.#interrupted = this.#blocked;
    // The next read is another one, or it would be taken for the one that has to end.
    this.#standingRevision = Number.NaN;
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
