/**
 * Commits of one partition: at most one in flight, the newest position wins, and a pause between two so that a fast
 * handler does not cost a command per record. What is not committed when a worker dies is processed again by its heir,
 * so the pause is the bound of that window.
 */
import type { Clock, CommitResult, Timer } from '@millrace/core';

export interface CommitPort {
  readonly clock: Clock;
  commit(offset: number): Promise<CommitResult>;
  /** The commit was refused: somebody else owns the partition, or the log ends before the offset. */
  onRefused(result: Exclude<CommitResult, { status: 'COMMITTED' }>): void;
  onFailure(error: unknown): void;
}

const RETRY_MS = 200;

export class OffsetCommits {
  readonly #port: CommitPort;
  readonly #intervalMs: number;
  #processed: number;
  #committed: number;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #unansweredSinceMs: number | null = null;
  #inFlight: Promise<void> | null = null;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(port: CommitPort, committed: number, intervalMs: number) {
    this.#port = port;
    this.#processed = committed;
    this.#committed = committed;
    this.#intervalMs = intervalMs;
  }

  /** The next record to consume after everything that is processed. */
  get processed(): number {
    return this.#processed;
  }

  get committed(): number {
    return this.#committed;
  }

  /** When the first of the commits was sent that Redis has not answered, by the monotonic clock; null when none waits. */
  get unansweredSinceMs(): number | null {
    return this.#unansweredSinceMs;
  }

  /** On the hot path: two comparisons when a commit is already on its way. */
  note(processed: number): void {
    if (processed > this.#processed) this.#processed = processed;
  }

  /** One is in flight or will be, or never again: what is noted now needs no `schedule`. */
  get isScheduled(): boolean {
    return this.#isClosed || this.#timer !== null || this.#inFlight !== null;
  }

  /** Commits soon: at once after a quiet interval, at its end otherwise. */
  schedule(): void {
    if (this.isScheduled || this.#processed <= this.#committed) return;
    const dueMs = this.#lastSentMs + this.#intervalMs - this.#port.clock.monotonicMs();
    if (dueMs <= 0) {
      void this.flush().catch(() => {});
      return;
    }
    this.#wait(dueMs);
  }

  /** Resolves when everything noted before the call is committed or refused; rejects when Redis cannot be reached. */
  async flush(): Promise<void> {
    if (this.#inFlight !== null) await this.#inFlight.catch(() => {});
    if (this.#isClosed || this.#processed <= this.#committed) return;
    // Somebody else may have begun one while this call waited.
    this.#inFlight ??= this.#send().finally(() => {
      this.#inFlight = null;
      this.schedule();
    });
    await this.#inFlight;
  }

  /** Resolves when nothing is in flight, however it went. */
  async settled(): Promise<void> {
    while (this.#inFlight !== null) await this.#inFlight.catch(() => {});
  }

  /** Starts over at another offset, after a seek; nothing of before may be in flight. */
  async restart(sought: () => Promise<number | null>): Promise<number | null> {
    // A commit that ends may have begun the next one at once, or a timer for it. Not `settled`: nothing may begin between
    // its end and what follows here.
    while (this.#inFlight !== null) await this.#inFlight.catch(() => {});
    this.#timer?.cancel();
    this.#timer = null;
    let offset: number | null = null;
    this.#inFlight = (async () => {
      offset = await sought();
      if (offset === null) return;
      this.#processed = offset;
      this.#committed = offset;
    })();
    try {
      await this.#inFlight;
      return offset;
    } finally {
      this.#inFlight = null;
      // Without a new offset, what was processed before still waits for its commit.
      this.schedule();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #wait(delayMs: number): void {
    this.#timer = this.#port.clock.startTimer(delayMs, () => {
      this.#timer = null;
      void this.flush().catch(() => {});
    });
  }

  async #send(): Promise<void> {
    const offset = this.#processed;
    this.#lastSentMs = this.#port.clock.monotonicMs();
    this.#unansweredSinceMs ??= this.#lastSentMs;
    try {
      const result = await this.#port.commit(offset);
      this.#unansweredSinceMs = null;
      if (result.status === 'COMMITTED') {
        this.#committed = Math.max(this.#committed, result.committed);
      } else {
        this.close();
        this.#port.onRefused(result);
      }
    } catch (error) {
      // Sending it again is safe: a commit is fenced and never goes back.
      this.#lastSentMs = this.#port.clock.monotonicMs() + RETRY_MS - this.#intervalMs;
      this.#port.onFailure(error);
      throw error;
    }
  }
}
