/**
 * The leader lock: redlock behind the smallest adapter that avoids what is known of 5.0.0-beta.2. The lock only picks
 * who computes. Every write of a leader is fenced by the leader epoch, so a lock that is wrong costs a computation.
 *
 * Known and avoided: an even number of clients with a split vote never settles (asserted: odd); `acquire` may hand out
 * a lock that has expired on the way (checked here, on a monotonic clock); `using` can block the event loop (not
 * used); a call has no deadline (each is raced with one).
 */
import { UnavailableError, type Clock } from '@millrace/core';
import type { CommandConnection } from '../connection/command-connection.ts';
import Redlock, { ExecutionError, ResourceLockedError, type Lock } from 'redlock';

/** Part of the lock time that must be left when the lock arrives: less, and it is not worth having. */
const MINIMUM_LEFT = 0.5;

export class LeaderLock {
  readonly #redlock: Redlock;
  readonly #key: string;
  readonly #clock: Clock;
  #lock: Lock | null = null;

  /** One client per independent Redis deployment: a quorum needs an odd number of them. */
  constructor(clients: readonly CommandConnection[], key: string, clock: Clock) {
    if (clients.length % 2 === 0) {
      throw new RangeError(`the leader lock needs an odd number of Redis deployments, got ${clients.length}`);
    }
    this.#redlock = new Redlock(
      clients,
      { retryCount: 0, driftFactor: 0.01 },
      { acquireScript: allowOutOfMemory, extendScript: allowOutOfMemory, releaseScript: allowOutOfMemory },
    );
    // Redlock reports normal contention as an 'error' event; without a listener Node would throw it.
    this.#redlock.on('error', () => {});
    this.#key = key;
    this.#clock = clock;
  }

  /** One attempt. False when somebody else holds the lock; throws when Redis refused or did not answer in time. */
  async tryAcquire(lockMs: number): Promise<boolean> {
    // Kept from an attempt after which something else failed: ours would otherwise stand in our own way.
    if (this.#lock !== null && (await this.extend(lockMs))) return true;
    const startedMs = this.#clock.monotonicMs();
    const attempt = this.#redlock.acquire([this.#key], lockMs);
    try {
      const lock = await this.#withDeadline(attempt, lockMs);
      if (this.#clock.monotonicMs() - startedMs > lockMs * (1 - MINIMUM_LEFT)) {
        await this.#withDeadline(lock.release(), lockMs).catch(() => {});
        return false;
      }
      this.#lock = lock;
      return true;
    } catch (error) {
      // It may still arrive: nobody must then hold it without knowing.
      attempt.then((lock) => lock.release()).catch(() => {});
      await this.#withDeadline(throwUnlessLocked(error), lockMs);
      return false;
    }
  }

  /** False when the lock is no longer ours; throws when Redis did not say so: it may be ours still. */
  async extend(lockMs: number): Promise<boolean> {
    const lock = this.#lock;
    if (lock === null) return false;
    const startedMs = this.#clock.monotonicMs();
    const extension = lock.extend(lockMs);
    // Taken over also when it comes too late to be waited for: redlock counts the object that it replaces as expired.
    extension.then(
      (extended) => {
        if (this.#lock === lock) this.#lock = extended;
      },
      () => {},
    );
    try {
      await this.#withDeadline(extension, lockMs);
      return this.#clock.monotonicMs() - startedMs <= lockMs * (1 - MINIMUM_LEFT);
    } catch (error) {
      await this.#withDeadline(throwUnlessLocked(error), lockMs);
      this.#lock = null;
      return false;
    }
  }

  async release(): Promise<void> {
    const lock = this.#lock;
    this.#lock = null;
    // It expires by itself; a leader that leaves must not fail because of it.
    if (lock !== null) await this.#withDeadline(lock.release(), 1000).catch(() => {});
  }

  async #withDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
    const { promise: deadline, reject } = Promise.withResolvers<never>();
    const timer = this.#clock.startTimer(deadlineMs, () => {
      reject(new UnavailableError('TIMED_OUT', `no answer for the leader lock within ${deadlineMs} ms`));
    });
    try {
      return await Promise.race([work, deadline]);
    } finally {
      timer.cancel();
    }
  }
}

/** A group whose leader dies while the memory is full must get another one: its members drain what fills it. */
function allowOutOfMemory(script: string): string {
  return `#!lua flags=allow-oom\n${script}`;
}

/**
 * Redlock says "no quorum" for whatever went wrong; the votes tell a lock that somebody else holds from a Redis that
 * is away or out of memory, which is no reason for a leader to give up. Without an attempt the lock had expired.
 */
async function throwUnlessLocked(failure: unknown): Promise<void> {
  if (!(failure instanceof ExecutionError)) throw failure;
  const attempts = await Promise.all(failure.attempts);
  const against = attempts.flatMap(({ votesAgainst }) => [...votesAgainst.values()]);
  const [first] = against;
  if (first === undefined || against.some((vote) => vote instanceof ResourceLockedError)) return;
  throw first;
}
