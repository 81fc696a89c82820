/**
 * Watches the leader's presence, so that its death is found about as fast as anybody's, and deposes it by compare.
 * Only deputies do: they are named by the leader with every assignment. Until the first assignment after its join a new
 * member is one too: the leader, and all deputies with it, may have died before anybody joined.
 */
import {
  beginLook,
  distrustPresence,
  initialLiveness,
  observeLiveness,
  untilNextWatchMs,
  type GroupView,
  type LeaderView,
  type LivenessState,
  type Timer,
} from '@millrace/core';
import {
  DEPUTY_WATCH_INTERVAL_MS,
  PRESENCE_GRACE_MS,
  type LeaderPort,
  type LeaderSettings,
} from './leader-settings.ts';
import type { SerialWork } from './serial-work.ts';

const BLIND_MS = 2.5 * DEPUTY_WATCH_INTERVAL_MS;

interface Watched {
  readonly leader: LeaderView;
  liveness: LivenessState;
}

export interface DeputyPort extends LeaderPort {
  /** What the look told about the group, as every answer does. */
  onView(view: GroupView): void;
  /** The leader is deposed: somebody has to take over, and this member knows first. */
  onVacancy(): Promise<void>;
}

export class Deputy {
  readonly #port: DeputyPort;
  readonly #settings: LeaderSettings;
  readonly #work: SerialWork;
  #watched: Watched | null = null;
  #timer: Timer | null = null;

  constructor(port: DeputyPort, settings: LeaderSettings, work: SerialWork) {
    this.#port = port;
    this.#settings = settings;
    this.#work = work;
  }

  /** What it saw of the leader: worth something to the next one. */
  get liveness(): LivenessState | null {
    return this.#watched?.liveness ?? null;
  }

  /** Watches `view.leader` if this member is a deputy or waits for its first assignment, and stops otherwise. */
  follow(view: GroupView, isWaiting: boolean): void {
    const memberId = this.#port.identity()?.memberId;
    if (memberId === undefined || !(isWaiting || view.deputies.includes(memberId))) {
      this.stop();
      return;
    }
    if (this.#watched?.leader.epoch === view.leader.epoch) return;
    const nowMs = this.#port.clock.monotonicMs();
    this.#watched = { leader: view.leader, liveness: initialLiveness(nowMs) };
    this.#lookIn(this.#port.random.next() * DEPUTY_WATCH_INTERVAL_MS);
  }

  distrustPresence(untilMs: number): void {
    if (this.#watched !== null) this.#watched.liveness = distrustPresence(this.#watched.liveness, untilMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#watched = null;
  }

  #lookIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#port.clock.startTimer(delayMs, () => {
      this.#work.add('watch of the leader', () => this.#look());
    });
  }

  async #look(): Promise<void> {
    const watched = this.#watched;
    const identity = this.#port.identity();
    if (watched === null || identity === null) return;
    // Set before the look, so that a look that fails is not the last one.
    this.#lookIn(DEPUTY_WATCH_INTERVAL_MS);
    const { memberId } = watched.leader;
    const watch = await this.#port.group.watch([memberId, identity.memberId]);
    if (this.#watched !== watched) return;

    const nowMs = this.#port.clock.monotonicMs();
    watched.liveness = beginLook(watched.liveness, {
      server: watch.server,
      nowMs,
      blindMs: BLIND_MS,
      leaseMs: this.#settings.leaseMs,
    });
    // Static or not: a leader that is gone must not hold the group up. It is deposed; its membership is another matter.
    const suspect = new Map([[memberId, { memberId, leaseMs: this.#settings.leaseMs }]]);
    const seen = observeLiveness(watched.liveness, suspect, watch.signs, identity.memberId, nowMs, {
      presenceGraceMs: PRESENCE_GRACE_MS,
    });
    watched.liveness = seen.state;
    const [verdict] = seen.dead;
    if (verdict !== undefined) {
      await this.#depose(watched, verdict.reason === 'presence' ? 'gone' : 'silent');
      return;
    }
    this.#port.onView(watch);
    const rank = watch.deputies.indexOf(identity.memberId);
    if (this.#watched !== watched) return;
    if (seen.suspects) this.#lookIn(PRESENCE_GRACE_MS);
    else if (rank >= 0)
      this.#lookIn(
        untilNextWatchMs(watch.serverTimeMs, DEPUTY_WATCH_INTERVAL_MS, rank, watch.deputies.length),
      );
  }

  async #depose(watched: Watched, reason: 'gone' | 'silent'): Promise<void> {
    const outcome = await this.#port.group.depose(watched.leader, reason);
    if (outcome === 'PRESENT') return;
    // What was seen of it stays: the new leader evicts it without watching it die a second time.
    this.#timer?.cancel();
    if (outcome === 'OK') await this.#port.onVacancy();
  }
}
