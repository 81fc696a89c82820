/** What the main thread and the lease thread say to each other, and the memory that they share. */
import type { ErrorCode, GroupView } from '@millrace/core';
import type { ConnectionConfig } from '@millrace/redis';

export interface LeaseThreadData {
  readonly connection: ConnectionConfig;
  readonly connectionName: string;
  readonly prefix: string;
  readonly group: string;
  readonly leaseMs: number;
  /** Without progress of the main thread for this long, the lease is given up. */
  readonly eventLoopTimeoutMs: number;
  readonly shared: SharedArrayBuffer;
}

export type ToLeaseThread =
  /** Open the presence of this member, then answer `present`. */
  | { readonly type: 'appear'; readonly memberId: string }
  /** The member has joined: renew from now on. */
  | { readonly type: 'hold'; readonly memberId: string; readonly session: string }
  /** Stop renewing and close the presence, then answer `absent`. */
  | { readonly type: 'drop' }
  | { readonly type: 'close' };

/** Why a lease ended without the member's wish. */
export type LeaseEnd = 'evicted' | 'replaced' | 'event-loop-blocked';

export type FromLeaseThread =
  | { readonly type: 'open' }
  | { readonly type: 'failed'; readonly message: string; readonly code: ErrorCode }
  | { readonly type: 'present' }
  | { readonly type: 'absent' }
  | { readonly type: 'view'; readonly view: GroupView }
  | { readonly type: 'wake'; readonly what: string }
  | { readonly type: 'ended'; readonly session: string; readonly end: LeaseEnd }
  | { readonly type: 'blocked'; readonly blockedMs: number };

/** Two counters of milliseconds, modulo 2^32, on the system's monotonic clock. */
export const SHARED_BYTES = 8;
const RENEWAL = 0;
const PROGRESS = 1;

export class SharedTimes {
  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer);
  }

  /** When the last acknowledged renewal was sent. */
  noteRenewal(sentMs: number): void {
    Atomics.store(this.#cells, RENEWAL, Math.floor(sentMs) | 0);
  }

  renewalAgeMs(nowMs: number): number {
    return ageMs(Atomics.load(this.#cells, RENEWAL), nowMs);
  }

  noteProgress(nowMs: number): void {
    Atomics.store(this.#cells, PROGRESS, Math.floor(nowMs) | 0);
  }

  progressAgeMs(nowMs: number): number {
    return ageMs(Atomics.load(this.#cells, PROGRESS), nowMs);
  }
}

/** Good for ages up to 24 days, far beyond any lease; 32 bits because both threads can share them without tearing. */
function ageMs(stored: number, nowMs: number): number {
  const age = ((Math.floor(nowMs) | 0) - stored) | 0;
  return Math.max(0, age);
}
