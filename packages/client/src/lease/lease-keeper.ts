/**
 * The main thread's side of the lease: starts the thread, tells it what to hold, and answers how good the lease is.
 *
 * The age of the last renewal is read from shared memory and not from messages: after a process was frozen, the first
 * thing that runs must know that the lease is old, before any message can have arrived.
 */
import { Worker } from 'node:worker_threads';
import {
  errorFromCode,
  leaseHealth,
  UnavailableError,
  type Clock,
  type GroupView,
  type LeaseHealth,
  type Timer,
} from '@millrace/core';
import {
  SHARED_BYTES,
  SharedTimes,
  type FromLeaseThread,
  type LeaseEnd,
  type LeaseThreadData,
  type ToLeaseThread,
} from './lease-messages.ts';

/** What the consumer needs of a lease; the simulation has its own. */
export interface Lease {
  /** Opens the member's presence. Before the join, or an observer would find the member absent. */
  appear(memberId: string): Promise<void>;
  /** `joinSentMs`: when the join, the first renewal, was sent (monotonic). */
  hold(memberId: string, session: string, joinSentMs: number): void;
  /** Stops renewing and closes the presence. */
  drop(): Promise<void>;
  /** `nowMs` where the caller has just read the monotonic clock. */
  health(nowMs?: number): LeaseHealth;
  close(): Promise<void>;
}

export interface LeaseListener {
  onView(view: GroupView): void;
  onWake(what: string): void;
  onEnd(session: string, end: LeaseEnd): void;
  onBlocked(blockedMs: number): void;
  onThreadFailure(error: Error): void;
}

const PROGRESS_INTERVAL_MS = 500;
/** So that a timer that is late by a few turns is not taken for an event loop that stands still. */
const PROGRESS_MARGIN = 4;
/** It sends a heartbeat every few seconds; what the default lets its young generation grow to would be memory for nothing. */
const YOUNG_GENERATION_MIB = 1;
/** For what the thread answers after one round trip to Redis. */
const ANSWER_TIMEOUT_MS = 5_000;

export class LeaseKeeper implements Lease {
  readonly #worker: Worker;
  readonly #times: SharedTimes;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #progressIntervalMs: number;
  readonly #listener: LeaseListener;
  #progress: Timer | null = null;
  #awaited: { readonly type: FromLeaseThread['type']; resolve(): void; reject(error: Error): void } | null =
    null;
  #exited: Promise<void>;
  #isClosing = false;

  /** Resolves when the thread's connection is ready; throws what `openConnection` throws. */
  static async open(
    data: Omit<LeaseThreadData, 'shared'>,
    clock: Clock,
    listener: LeaseListener,
  ): Promise<LeaseKeeper> {
    const keeper = new LeaseKeeper(data, clock, listener);
    try {
      await keeper.#answer('open', data.connection.connectTimeoutMs + ANSWER_TIMEOUT_MS);
      return keeper;
    } catch (error) {
      await keeper.close();
      throw error;
    }
  }

  private constructor(data: Omit<LeaseThreadData, 'shared'>, clock: Clock, listener: LeaseListener) {
    const shared = new SharedArrayBuffer(SHARED_BYTES);
    this.#times = new SharedTimes(shared);
    this.#clock = clock;
    this.#leaseMs = data.leaseMs;
    this.#progressIntervalMs = Math.min(
      PROGRESS_INTERVAL_MS,
      Math.min(data.leaseMs, data.eventLoopTimeoutMs) / PROGRESS_MARGIN,
    );
    this.#listener = listener;
    this.#showProgress();
    // From source the file is TypeScript, in the published package it is what was made of it.
    const entry = import.meta.url.endsWith('.ts') ? './lease-thread.ts' : './lease-thread.js';
    this.#worker = new Worker(new URL(entry, import.meta.url), {
      workerData: { ...data, shared } satisfies LeaseThreadData,
      name: 'millrace-lease',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    this.#worker.on('message', (message: FromLeaseThread) => this.#onMessage(message));
    this.#worker.on('error', (error: Error) => this.#onFailure(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        if (!this.#isClosing)
          this.#onFailure(new UnavailableError('REDIS_UNREACHABLE', 'the lease thread ended'));
        resolve();
      });
    });
  }

  async appear(memberId: string): Promise<void> {
    this.#tell({ type: 'appear', memberId });
    await this.#answer('present', ANSWER_TIMEOUT_MS);
  }

  hold(memberId: string, session: string, joinSentMs: number): void {
    this.#times.noteRenewal(joinSentMs);
    this.#tell({ type: 'hold', memberId, session });
  }

  async drop(): Promise<void> {
    if (this.#isClosing) return;
    this.#tell({ type: 'drop' });
    await this.#answer('absent', ANSWER_TIMEOUT_MS);
  }

  health(nowMs: number = this.#clock.monotonicMs()): LeaseHealth {
    return leaseHealth(nowMs - this.#times.renewalAgeMs(nowMs), nowMs, this.#leaseMs);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#progress?.cancel();
    this.#tell({ type: 'close' });
    const grace = this.#clock.startTimer(1_000, () => void this.#worker.terminate());
    await this.#exited;
    grace.cancel();
  }

  #showProgress(): void {
    this.#times.noteProgress(this.#clock.monotonicMs());
    this.#progress = this.#clock.startTimer(this.#progressIntervalMs, () => this.#showProgress());
  }

  #tell(message: ToLeaseThread): void {
    this.#worker.postMessage(message);
  }

  #answer(type: FromLeaseThread['type'], timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.startTimer(timeoutMs, () => {
        this.#awaited = null;
        reject(
          new UnavailableError(
            'TIMED_OUT',
            `the lease thread did not answer "${type}" within ${timeoutMs} ms`,
          ),
        );
      });
      this.#awaited = {
        type,
        resolve: () => {
          timer.cancel();
          resolve();
        },
        reject: (error) => {
          timer.cancel();
          reject(error);
        },
      };
    });
  }

  #onMessage(message: FromLeaseThread): void {
    switch (message.type) {
      case 'open':
      case 'present':
      case 'absent':
        if (this.#awaited?.type === message.type) {
          this.#awaited.resolve();
          this.#awaited = null;
        }
        break;
      case 'failed':
        this.#onFailure(errorFromCode(message.code, message.message));
        break;
      case 'view':
        this.#listener.onView(message.view);
        break;
      case 'wake':
        this.#listener.onWake(message.what);
        break;
      case 'ended':
        this.#listener.onEnd(message.session, message.end);
        break;
      case 'blocked':
        this.#listener.onBlocked(message.blockedMs);
        break;
      default:
        message satisfies never;
    }
  }

  #onFailure(error: Error): void {
    if (this.#awaited === null) this.#listener.onThreadFailure(error);
    this.#awaited?.reject(error);
    this.#awaited = null;
  }
}
