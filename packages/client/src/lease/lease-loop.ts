/**
 * Renews one lease: the part of the lease thread that decides. It knows time and the group store only through ports.
 *
 * A renewal is counted from when it was sent. A lost reply is tried again soon, because the lease runs on meanwhile.
 */
import {
  heartbeatIntervalMs,
  type Clock,
  type GroupView,
  type HeartbeatResult,
  type Timer,
} from '@millrace/core';
import type { LeaseEnd } from './lease-messages.ts';

export interface LeaseLoopPorts {
  readonly clock: Clock;
  heartbeat(memberId: string, session: string): Promise<HeartbeatResult>;
  noteRenewal(sentMs: number): void;
  /** Milliseconds since the main thread showed progress. */
  mainIdleMs(): number;
  onView(view: GroupView): void;
  onEnd(session: string, end: LeaseEnd): void;
  onBlocked(blockedMs: number): void;
}

export interface LeaseLoopSettings {
  readonly leaseMs: number;
  readonly eventLoopTimeoutMs: number;
}

const RETRY_MS = 250;

export class LeaseLoop {
  readonly #ports: LeaseLoopPorts;
  readonly #settings: LeaseLoopSettings;
  #held: { readonly memberId: string; readonly session: string } | null = null;
  #timer: Timer | null = null;
  #isSending = false;
  #reportedBlock = false;

  constructor(ports: LeaseLoopPorts, settings: LeaseLoopSettings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  /** The join itself was the first renewal. */
  hold(memberId: string, session: string): void {
    this.drop();
    this.#held = { memberId, session };
    this.#schedule(heartbeatIntervalMs(this.#settings.leaseMs));
  }

  drop(): void {
    this.#held = null;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** The connection is back: renew at once, the interval may be long over. */
  onReconnect(): void {
    if (this.#held !== null) this.#schedule(0);
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    const dueMs = this.#ports.clock.monotonicMs() + delayMs;
    this.#timer = this.#ports.clock.startTimer(delayMs, () => {
      void this.#renew(this.#ports.clock.monotonicMs() - dueMs);
    });
  }

  async #renew(lateMs: number): Promise<void> {
    const held = this.#held;
    if (held === null || this.#isSending) return;
    // The whole process stood still, this thread too: that says nothing about the handlers.
    const wasFrozen = lateMs >= heartbeatIntervalMs(this.#settings.leaseMs);
    if (!wasFrozen && this.#isMainThreadStuck(held.session)) return;

    this.#isSending = true;
    const sentMs = this.#ports.clock.monotonicMs();
    const intervalMs = heartbeatIntervalMs(this.#settings.leaseMs);
    // Of a short lease, a third may be less than the usual pause.
    let nextMs = Math.min(RETRY_MS, intervalMs);
    try {
      const result = await this.#ports.heartbeat(held.memberId, held.session);
      // Dropped or joined anew while the call was under way: this answer is about a lease that is no more.
      if (this.#held === held) {
        switch (result.status) {
          case 'OK':
            this.#ports.noteRenewal(sentMs);
            this.#ports.onView(result);
            nextMs = intervalMs;
            break;
          case 'UNKNOWN_MEMBER':
            this.#end(held.session, 'evicted');
            break;
          case 'REPLACED':
            this.#end(held.session, 'replaced');
            break;
          default:
            result satisfies never;
        }
      }
    } catch {
      // Whatever it was, the remedy is the same: again, until the lease is over. The main thread sees its age.
    } finally {
      this.#isSending = false;
    }
    if (this.#held !== null) this.#schedule(nextMs);
  }

  /** Renewing for a main thread that hangs for ever would keep its partitions from everybody. */
  #isMainThreadStuck(session: string): boolean {
    const idleMs = this.#ports.mainIdleMs();
    if (idleMs >= this.#settings.eventLoopTimeoutMs) {
      this.#end(session, 'event-loop-blocked');
      return true;
    }
    if (idleMs >= this.#settings.leaseMs) {
      if (!this.#reportedBlock) this.#ports.onBlocked(idleMs);
      this.#reportedBlock = true;
    } else {
      this.#reportedBlock = false;
    }
    return false;
  }

  #end(session: string, end: LeaseEnd): void {
    this.drop();
    this.#ports.onEnd(session, end);
  }
}
