/**
 * The connections of one consumer to one node of a cluster, for reading. XREAD cannot wait for logs of several slots, so
 * each slot that waits occupies a connection; their number is bounded. With more slots than connections they take turns:
 * a wait lasts one turn then, the longest waiting slot comes next, and no slot is passed over. What does not wait goes
 * through one more connection, side by side, so that a log with a backlog never queues behind idle ones.
 */
import type { Clock, StoredBatch, Timer } from '@millrace/core';
import { toMillraceError, type ReaderConnection } from '@millrace/redis';

export interface NodeReadersPort {
  readonly clock: Clock;
  /** A connection to the node that does not come back once it is lost. Throws what `openNodeReader` throws. */
  open(): Promise<ReaderConnection>;
}

export type Read = (connection: ReaderConnection, blockMs: number) => Promise<readonly StoredBatch[]>;

/**
 * How long one slot may wait for records while others wait for its connection, milliseconds. Shorter turns find records
 * sooner and ask more often for nothing: at most 20 times a second for each connection.
 */
const TURN_MS = 50;

/** One call of `readBlocked`. */
interface Wait {
  readonly slot: number;
  isInterrupted: boolean;
  /** While it waits for records. */
  at: { readonly connection: ReaderConnection; readonly untilMs: number } | null;
}

/** A wait without a connection. */
interface Queued {
  readonly wait: Wait;
  readonly resolve: (connection: ReaderConnection | Promise<ReaderConnection> | null) => void;
  readonly reject: (error: unknown) => void;
}

export class NodeReaders {
  readonly #port: NodeReadersPort;
  readonly #maxBlocking: number;
  readonly #waits = new Set<Wait>();
  readonly #queue: Queued[] = [];
  readonly #idle: ReaderConnection[] = [];
  /** Blocking connections that are open or being opened. */
  #count = 0;
  readonly #open = new Set<ReaderConnection>();
  #shared: Promise<ReaderConnection> | null = null;
  /** How many connections were opened, and how many of them before one was lost: whatever broke it may have hit them all. */
  #openedCount = 0;
  #doubtedCount = 0;
  #turn: Timer | null = null;
  #isClosed = false;

  constructor(port: NodeReadersPort, maxBlocking: number) {
    this.#port = port;
    this.#maxBlocking = maxBlocking;
  }

  /** What is there now. */
  async readNow(read: Read): Promise<readonly StoredBatch[]> {
    return read(await this.#openShared(), 0);
  }

  /** Waits for up to `blockMs` until there is something; ends early, with nothing, by `unblock`. */
  async readBlocked(slot: number, blockMs: number, read: Read): Promise<readonly StoredBatch[]> {
    const endMs = this.#port.clock.monotonicMs() + blockMs;
    const wait: Wait = { slot, isInterrupted: false, at: null };
    this.#waits.add(wait);
    try {
      for (;;) {
        const connection = await this.#take(wait);
        if (connection === null) return [];
        const batches = await this.#readAt(connection, wait, endMs, read);
        if (batches.length > 0 || this.#isOver(wait, endMs)) return batches;
      }
    } finally {
      this.#waits.delete(wait);
    }
  }

  /** Ends the waits for the slot. Throws what `toMillraceError` gives. */
  async unblock(slot: number): Promise<void> {
    for (const wait of this.#waits) {
      if (wait.slot !== slot) continue;
      wait.isInterrupted = true;
      this.#dequeue(wait);
      if (wait.at !== null) await this.#endBlock(wait.at.connection);
    }
  }

  /** Rejects what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#turn?.cancel();
    for (const { resolve } of this.#queue.splice(0)) resolve(null);
    await Promise.all([...this.#open].map((connection) => connection.close()));
  }

  // --- waiting -----------------------------------------------------------------------------------------------------

  async #readAt(
    connection: ReaderConnection,
    wait: Wait,
    endMs: number,
    read: Read,
  ): Promise<readonly StoredBatch[]> {
    try {
      if (this.#isOver(wait, endMs)) return [];
      const nowMs = this.#port.clock.monotonicMs();
      const turnMs = this.#queue.length > 0 ? Math.min(endMs - nowMs, TURN_MS) : endMs - nowMs;
      wait.at = { connection, untilMs: nowMs + turnMs };
      return await read(connection, Math.ceil(turnMs));
    } finally {
      wait.at = null;
      this.#putBack(connection);
    }
  }

  #isOver(wait: Wait, endMs: number): boolean {
    return this.#isClosed || wait.isInterrupted || endMs <= this.#port.clock.monotonicMs();
  }

  /** `null` when the wait was interrupted before there was a connection for it. */
  #take(wait: Wait): Promise<ReaderConnection | null> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#count < this.#maxBlocking) return this.#openBlocking();
    return new Promise((resolve, reject) => {
      this.#queue.push({ wait, resolve, reject });
      this.#endLongWaits();
    });
  }

  #putBack(connection: ReaderConnection): void {
    if (!connection.isUsable) return;
    const next = this.#queue.shift();
    if (next === undefined) this.#idle.push(connection);
    else next.resolve(connection);
  }

  #dequeue(wait: Wait): void {
    const index = this.#queue.findIndex((queued) => queued.wait === wait);
    if (index < 0) return;
    const [queued] = this.#queue.splice(index, 1);
    queued?.resolve(null);
  }

  /** Waits that began when nobody else was waiting last longer than a turn: they are ended, one for each in the queue. */
  #endLongWaits(): void {
    if (this.#turn !== null) return;
    const latestMs = this.#port.clock.monotonicMs() + TURN_MS;
    const long = [...this.#waits].flatMap(({ at }) => (at !== null && at.untilMs > latestMs ? [at] : []));
    for (const { connection } of long.slice(0, this.#queue.length))
      // Where it is not permitted, the waits end by themselves; who asks for `unblock` is told.
      this.#endBlock(connection).catch(() => {});
    this.#turn = this.#port.clock.startTimer(TURN_MS, () => {
      this.#turn = null;
      if (this.#queue.length > 0 && !this.#isClosed) this.#endLongWaits();
    });
  }

  async #endBlock(blocked: ReaderConnection): Promise<void> {
    try {
      const shared = await this.#openShared();
      await shared.unblock(blocked.clientId);
    } catch (error) {
      // Closing ends every wait.
      if (this.#isClosed) return;
      throw toMillraceError(error, 'CLIENT UNBLOCK');
    }
  }

  // --- connections -------------------------------------------------------------------------------------------------

  async #openBlocking(): Promise<ReaderConnection> {
    this.#count++;
    let connection: ReaderConnection;
    try {
      connection = await this.#openOne();
    } catch (error) {
      this.#count--;
      for (const { reject } of this.#queue.splice(0)) reject(error);
      throw error;
    }
    const place = this.#openedCount;
    connection.onceEnded(() => this.#onLost(connection, place));
    try {
      await connection.untilKnown();
      return connection;
    } catch (error) {
      connection.disconnect();
      throw error;
    }
  }

  #onLost(connection: ReaderConnection, place: number): void {
    this.#count--;
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    if (this.#isClosed) return;
    if (place > this.#doubtedCount) this.#leaveShared();
    this.#queue.shift()?.resolve(this.#openBlocking());
  }

  /**
   * What does not wait has been idle for as long as there was no backlog. Where it is as dead as the one that was lost, the
   * first read on it would find that out only after 10 s more. Once for all connections of the same age.
   */
  #leaveShared(): void {
    this.#doubtedCount = this.#openedCount;
    const shared = this.#shared;
    this.#shared = null;
    shared?.then(
      (connection) => connection.disconnect(),
      () => {},
    );
  }

  #openShared(): Promise<ReaderConnection> {
    if (this.#shared !== null) return this.#shared;
    const forget = (): void => {
      if (this.#shared === opening) this.#shared = null;
    };
    const opening = this.#openOne().then(
      (connection) => {
        connection.onceEnded(forget);
        return connection;
      },
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    this.#shared = opening;
    return opening;
  }

  async #openOne(): Promise<ReaderConnection> {
    const connection = await this.#port.open();
    this.#openedCount++;
    this.#open.add(connection);
    connection.onceEnded(() => this.#open.delete(connection));
    if (this.#isClosed) await connection.close();
    return connection;
  }
}
