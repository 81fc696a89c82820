/**
 * One member's part in leading its group: as candidate it tries for the lock, as deputy it watches the leader, as
 * leader it reigns. Being wrong about leading costs a computation and nothing else, because every write of a leader
 * carries the leader epoch.
 */
import { initialLiveness, MillraceError, type GroupView, type LeaderView, type Timer } from '@millrace/core';
import { Deputy } from './deputy.ts';
import {
  CAMPAIGN_SPREAD_MS,
  DEPOSER_FIRST_MS,
  LOCK_MS,
  type LeaderPort,
  type LeaderSettings,
} from './leader-settings.ts';
import { Reign } from './reign.ts';
import { SerialWork } from './serial-work.ts';

export class Leader {
  readonly #port: LeaderPort;
  readonly #settings: LeaderSettings;
  readonly #work: SerialWork;
  readonly #deputy: Deputy;
  #deputies: readonly string[] = [];
  /** Of this member's join: while no assignment is as new, the leader has not noticed it. */
  #joinedGeneration = 0;
  #reign: Reign | null = null;
  #campaign: { readonly timer: Timer; readonly dueMs: number } | null = null;
  #isStopped = true;

  constructor(port: LeaderPort, settings: LeaderSettings) {
    this.#port = port;
    this.#settings = settings;
    this.#work = new SerialWork((error, during) => {
      if (error instanceof MillraceError && !error.retryable) port.onError(error);
      else port.onTransportFailure(error, during);
    });
    this.#deputy = new Deputy(
      { ...port, onView: (view) => this.onView(view), onVacancy: () => this.#tryToLead() },
      settings,
      this.#work,
    );
  }

  get isLeading(): boolean {
    return this.#reign !== null;
  }

  /** This member is in the group (again); `view` is what its join has told. */
  start(view: GroupView): void {
    this.#joinedGeneration = view.generation;
    this.#isStopped = false;
    this.#work.start();
    this.#campaignLater();
    if (view.leader.memberId === this.#port.identity()?.memberId) this.#succeed(view.leader);
  }

  /**
   * A former life of this static member led. Its deputies see the member alive and wait, and its lock may stand for long:
   * nobody else can know that the one who leads is gone.
   */
  #succeed(former: LeaderView): void {
    this.#work.add('taking over from a former life', async () => {
      await this.#port.group.depose(former, 'resigned');
      await this.#tryToLead();
    });
  }

  /** Every answer of the group says where it stands. */
  onView(view: GroupView): void {
    if (this.#isStopped) return;
    this.#deputies = view.deputies;
    if (this.#reign !== null) {
      if (view.leader.epoch > this.#reign.epoch) this.#stepDown();
      else this.#reign.onGeneration(view.generation);
      return;
    }
    if (view.leader.memberId === '') this.#campaignSoon();
    else this.#deputy.follow(view, view.assignmentGeneration < this.#joinedGeneration);
  }

  onWake(what: string): void {
    if (this.#isStopped) return;
    if (what === 'leader-resigned' && this.#reign === null) this.#campaignSoon();
    // Whoever deposed it knows already that it is dead, and is about to lead: another winner would have to find out.
    if ((what === 'leader-gone' || what === 'leader-silent') && this.#reign === null)
      this.#campaignIn(DEPOSER_FIRST_MS);
    if (what === 'generation') this.#reign?.queueRebalance();
  }

  /** The command connection was down: what was seen of presence before means nothing. */
  onReconnect(): void {
    const untilMs = this.#port.clock.monotonicMs() + this.#settings.leaseMs;
    this.#reign?.distrustPresence(untilMs);
    this.#deputy.distrustPresence(untilMs);
  }

  /** Leads no longer and does not try to. A leader resigns, so that the next one need not wait for the lock. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const reign = this.#reign;
    this.#stepDown();
    this.#cancelCampaign();
    this.#deputy.stop();
    await this.#work.stop();
    if (reign !== null) await this.#resign(reign.memberId, reign.epoch);
  }

  async #resign(memberId: string, epoch: number): Promise<void> {
    try {
      // By compare, so also right for a member that the group knows no more: its lead is nobody's then.
      await this.#port.group.releaseLock();
      await this.#port.group.depose({ memberId, epoch }, 'resigned');
    } catch (error) {
      this.#port.onTransportFailure(error, 'resign');
    }
  }

  /** Deputies first: a whole fleet that tries at once is one winner and many wasted commands. */
  #campaignSoon(): void {
    const memberId = this.#port.identity()?.memberId ?? '';
    const isFirst = this.#deputies.length === 0 || this.#deputies.includes(memberId);
    this.#campaignIn(isFirst ? 0 : CAMPAIGN_SPREAD_MS * (0.5 + this.#port.random.next() / 2));
  }

  /** The lock expires by itself: an attempt now and then is the last resort when nobody is watched. */
  #campaignLater(): void {
    this.#campaignIn(LOCK_MS * (0.75 + this.#port.random.next() / 2));
  }

  #campaignIn(delayMs: number): void {
    if (this.#isStopped) return;
    const dueMs = this.#port.clock.monotonicMs() + delayMs;
    // Every look at a group without a leader asks for a campaign: where looks come faster than a campaign begins, one
    // that was put off by each of them would never begin.
    if (this.#campaign !== null && this.#campaign.dueMs <= dueMs) return;
    this.#cancelCampaign();
    const timer = this.#port.clock.startTimer(delayMs, () => {
      this.#campaign = null;
      this.#work.add('campaign', () => this.#tryToLead());
    });
    this.#campaign = { timer, dueMs };
  }

  #cancelCampaign(): void {
    this.#campaign?.timer.cancel();
    this.#campaign = null;
  }

  async #tryToLead(): Promise<void> {
    const identity = this.#port.identity();
    if (identity === null || this.#reign !== null || this.#isStopped) return;
    this.#campaignLater();
    try {
      if (!(await this.#port.group.tryLock(LOCK_MS))) return;
      const epoch = await this.#port.group.elect(identity.memberId, identity.session);
      if (epoch === null || this.#isStopped) {
        await this.#port.group.releaseLock();
        return;
      }
      await this.#beginReign(identity.memberId, epoch);
    } catch (error) {
      // The lock may be ours, and the lead too: until we reign, nobody does, and nobody else can take over.
      this.#campaignIn(CAMPAIGN_SPREAD_MS);
      throw error;
    }
  }

  async #beginReign(memberId: string, epoch: number): Promise<void> {
    const { assignment, incarnations } = await this.#port.group.readAssignment();
    if (this.#isStopped) {
      // Elected while it was stopping, which has found no reign to end.
      await this.#resign(memberId, epoch);
      return;
    }
    const liveness = this.#deputy.liveness ?? initialLiveness(this.#port.clock.monotonicMs());
    this.#deputy.stop();
    this.#cancelCampaign();
    const port = { ...this.#port, onDeposed: () => this.#onDeposed() };
    this.#reign = new Reign(port, this.#settings, this.#work, {
      memberId,
      epoch,
      assignment,
      incarnations,
      liveness,
    });
    this.#port.onLeading(true);
    await this.#reign.begin();
  }

  #onDeposed(): void {
    this.#stepDown();
    // Perhaps nobody else leads, and only the lock ran out while Redis stood still: one attempt tells.
    this.#campaignIn(CAMPAIGN_SPREAD_MS);
  }

  #stepDown(): void {
    if (this.#reign === null) return;
    this.#reign.end();
    this.#reign = null;
    this.#port.onLeading(false);
    this.#campaignLater();
  }
}
