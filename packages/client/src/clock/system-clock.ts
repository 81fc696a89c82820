/**
 * The real clock. `performance.now()` counts from another origin in every thread; it is shifted here onto the system's
 * monotonic clock, so that the lease thread and the main thread speak of the same milliseconds.
 */
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Clock, Random } from '@millrace/core';

const ORIGIN_MS = Number(process.hrtime.bigint() / 1_000n) / 1_000 - performance.now();

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now() + ORIGIN_MS,
  startTimer(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  nextTurn: () => setImmediate(),
};

export const systemRandom: Random = {
  next: () => Math.random(),
  nonce: () => randomBytes(16).toString('base64url'),
};
