/**
 * Notices a member that renews its lease and cannot commit: the lease has a connection of its own, so a way to Redis that
 * is broken for commands alone would go unnoticed, the member deliver for ever, and nobody take over from it. Commits of
 * one partition that fail are no proof, the server that holds it may be away for everybody; so the group is asked, which
 * the lease is renewed at.
 */
import { UnavailableError, type Clock, type MillraceError } from '@millrace/core';
import type { Identity } from './identity.ts';
import type { OffsetCommits } from './offset-commits.ts';

export interface CommitCheckPort {
  readonly clock: Clock;
  commits(): Iterable<Pick<OffsetCommits, 'unansweredSinceMs'>>;
  /** Any command that goes where the lease is renewed. */
  askGroup(): Promise<unknown>;
  /** Who this member is while its lease is held, another after it has joined anew; null in between. */
  holder(): Identity | null;
  onCutOff(error: MillraceError): void;
}

export class CommitCheck {
  readonly #port: CommitCheckPort;
  readonly #group: string;
  readonly #leaseMs: number;
  #asking: Promise<void> | null = null;
  #failures = 0;
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(port: CommitCheckPort, group: string, leaseMs: number) {
    this.#port = port;
    this.#group = group;
    this.#leaseMs = leaseMs;
  }

  look(nowMs: number): void {
    const holder = this.#port.holder();
    if (this.#asking !== null || nowMs - this.#answeredMs < this.#leaseMs || holder === null) return;
    let sinceMs = nowMs;
    for (const { unansweredSinceMs } of this.#port.commits())
      sinceMs = Math.min(sinceMs, unansweredSinceMs ?? nowMs);
    if (nowMs - sinceMs < this.#leaseMs) return;
    this.#asking = this.#ask(holder, sinceMs).finally(() => {
      this.#asking = null;
    });
  }

  async #ask(holder: Identity, sinceMs: number): Promise<void> {
    const { clock } = this.#port;
    try {
      await this.#port.askGroup();
      this.#failures = 0;
      this.#answeredMs = clock.monotonicMs();
    } catch (cause) {
      // One that fails may have waited on a dead connection, and made way for a good one by that.
      if (this.#port.holder() !== holder || ++this.#failures < 2) return;
      this.#failures = 0;
      const unansweredMs = Math.round(clock.monotonicMs() - sinceMs);
      this.#port.onCutOff(
        new UnavailableError(
          'REDIS_UNREACHABLE',
          `group ${this.#group}: no commit was answered for ${unansweredMs} ms, although the lease is renewed; ` +
            'the partitions are given up for others to take, and the member joins again when Redis answers it',
          { cause, details: { group: this.#group, unansweredMs, execution: 'unknown' } },
        ),
      );
    }
  }
}
