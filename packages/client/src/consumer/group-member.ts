/**
 * One member's life: joins, holds its lease, owns partitions, leads when it is elected, leaves. Wires the parts
 * together; what each of them decides is in its own file and in core.
 */
import { hostname } from 'node:os';
import {
  ClosedError,
  ConfigError,
  heartbeatIntervalMs,
  MillraceError,
  parsePartitionKey,
  type GroupStore,
  type GroupView,
  type MemberDescription,
  type PartitionKey,
  type Timer,
} from '@millrace/core';
import { toMillraceError } from '@millrace/redis';
import { delay } from '../clock/delay.ts';
import type { LogReader } from '../connect/backend.ts';
import type { ClientContext } from '../connect/client-context.ts';
import type { Lease } from '../lease/lease-keeper.ts';
import type { LeaseEnd } from '../lease/lease-messages.ts';
import type { TopicSelector } from '../topic/topic-definition.ts';
import { CommitCheck } from './commit-check.ts';
import { ConsumerEmitter, type LostReason, type OwnedPartition } from './consumer-events.ts';
import { Fetchers } from './fetchers.ts';
import type { Handlers } from './handlers.ts';
import type { Identity } from './identity.ts';
import { LaneWorker } from './lane-worker.ts';
import type { Lane } from './lane.ts';
import { Leader } from './leading/leader.ts';
import { joinGroup } from './membership.ts';
import {
  commitOffsets,
  seekOffset,
  type SeekPort,
  type TopicPartition,
  type TopicPartitionOffset,
} from './offset-control.ts';
import type { ResolvedOptions } from './options.ts';
import { Ownership } from './ownership.ts';
import { recordDecoders, type RecordDecoders } from './record-decoder.ts';
import { SlowCalls } from './slow-calls.ts';
import { Slots } from './slots.ts';
import { toSubscription, verifyTopicsExist } from './topic-selection.ts';
import { replacedBy, Troubles, whileBlocked } from './troubles.ts';
import { Turns } from './turns.ts';

const REJOIN_DELAY_MS = 200;
const CHECK_INTERVAL_MS = 500;

export class GroupMember<V> {
  readonly emitter: ConsumerEmitter;

  readonly #context: ClientContext;
  readonly #options: ResolvedOptions;
  readonly #selectors: readonly TopicSelector[];
  readonly #onFatal: () => void;
  readonly #troubles: Troubles;
  readonly #group: GroupStore;
  readonly #leader: Leader;
  readonly #ownership: Ownership<V>;
  readonly #seeks: SeekPort;
  readonly #fetchers: Fetchers;
  readonly #slots: Slots;
  readonly #slowCalls: SlowCalls;
  readonly #commitCheck: CommitCheck;
  readonly #turns: Turns;
  readonly #decoders: RecordDecoders<V>;
  readonly #paused = new Set<PartitionKey>();
  readonly #stopping = new AbortController();
  #handlers: Handlers<V> | null = null;
  #member: MemberDescription | null = null;
  #identity: Identity | null = null;
  #reader: LogReader | null = null;
  #lease: Lease | null = null;
  #starting: Promise<void> | null = null;
  #joining: Promise<void> | null = null;
  #check: Timer | null = null;
  readonly #unlisten: (() => void)[] = [];

  constructor(
    context: ClientContext,
    options: ResolvedOptions,
    selectors: readonly TopicSelector[],
    onFatal: () => void,
  ) {
    this.#context = context;
    this.#options = options;
    this.#selectors = selectors;
    this.#onFatal = onFatal;
    const { clock, random, backend, logger } = context;
    this.emitter = new ConsumerEmitter((error, event) => {
      logger.error({ err: error, event, group: options.group }, 'a listener of the consumer threw');
    });
    this.#troubles = new Troubles(clock, logger, this.emitter, options.group, context.onUnheard);
    this.#group = backend.groupStore(options.group);
    this.#slots = new Slots(options.partitionsConsumedConcurrently);
    this.#slowCalls = new SlowCalls(options.handlerTimeoutMs);
    this.#turns = new Turns(clock);
    this.#decoders = recordDecoders<V>(selectors);
    const shared = {
      clock,
      random,
      group: this.#group,
      partitions: backend.partitions,
      identity: () => this.#identity,
      onError: (error: MillraceError) => this.#troubles.report(error),
      onTransportFailure: (error: unknown, during: string) => this.#troubles.reportTransport(error, during),
    };
    this.#leader = new Leader(
      {
        ...shared,
        topics: backend.topics,
        onLeading: (isLeading) =>
          logger.info({ group: options.group, member: this.memberId, isLeading }, 'leadership'),
      },
      {
        group: options.group,
        assignor: options.assignor,
        leaseMs: options.leaseMs,
        handOverTimeoutMs: options.drainTimeoutMs + options.leaseMs,
      },
    );
    this.#ownership = new Ownership<V>(
      {
        ...shared,
        emitter: this.emitter,
        onView: (view) => this.#leader.onView(view),
        mayOwn: () => this.#lease?.health() === 'held',
        isPaused: (key) => this.#paused.has(key),
        startWorker: (lane) => this.#startWorker(lane),
        onUnknownMember: () => this.#rejoin('evicted'),
        onWantsFetch: (lane) => this.#fetchers.notify(lane),
      },
      options,
    );
    this.#seeks = { ...shared, owned: this.#ownership };
    this.#commitCheck = this.#checkCommits();
    this.#fetchers = new Fetchers({
      clock,
      lanes: () => this.#ownership.lanes(),
      lanesRevision: () => this.#ownership.lanesRevision,
      bufferedBytes: () => this.#ownership.bufferedBytes,
      reader: () => this.#openReader(),
      onTransportFailure: shared.onTransportFailure,
    });
  }

  get memberId(): string {
    return this.#identity?.memberId ?? '';
  }

  get isLeader(): boolean {
    return this.#leader.isLeading;
  }

  lane(key: PartitionKey): Lane | undefined {
    return this.#ownership.lane(key);
  }

  assignment(): OwnedPartition[] {
    return [...this.#ownership.lanes()].map(({ topic, partition, epoch }) => ({ topic, partition, epoch }));
  }

  pause(key: PartitionKey): void {
    this.#paused.add(key);
    this.#ownership.lane(key)?.pause();
  }

  resume(key: PartitionKey): void {
    this.#paused.delete(key);
    this.#ownership.lane(key)?.resume();
  }

  paused(): TopicPartition[] {
    return [...this.#paused].map((key) => parsePartitionKey(key));
  }

  seek(to: TopicPartitionOffset): Promise<void> {
    return seekOffset(this.#seeks, to);
  }

  commit(offsets?: readonly TopicPartitionOffset[]): Promise<void> {
    return commitOffsets(this.#ownership, offsets);
  }

  start(handlers: Handlers<V>): Promise<void> {
    this.#handlers = handlers;
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { backend } = this.#context;
    await verifyTopicsExist(backend.topics, this.#selectors);
    this.#reader = await backend.openReader();
    this.#lease = await this.#openLease();
    // Before the other listener: what the old server has told must be dropped before it is acted upon.
    this.#unlisten.push(
      await backend.onServerChange((isAffected) => this.#ownership.loseAll('server-changed', isAffected)),
      backend.onReconnect(() => this.#onReconnect(), this.#options.group),
    );
    await this.#join();
    if (this.#stopping.signal.aborted)
      throw new ClosedError('the consumer was closed while it joined its group');
    this.#fetchers.start();
    this.#checkRegularly();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    // What is half open is opened first, so that all of it is closed. Its failure is told to whoever started it.
    await this.#starting?.catch(() => {});
    await this.#joining;
    // The next leader can begin while this member is still draining.
    await this.#leader.stop();
    const isStatic = this.#options.instanceId !== undefined;
    if (!isStatic) await this.#announceLeave();
    await this.#ownership.close('the consumer is closing', isStatic);
    // Until here: handlers that are waited for must hear that their lease is over, or their server another one.
    this.#check?.cancel();
    for (const stop of this.#unlisten) stop();
    if (!isStatic) await this.#leave();
    this.#identity = null;
    await Promise.all([this.#fetchers.close(), this.#reader?.close()]);
    await this.#lease?.close();
  }

  // --- joining and leaving -----------------------------------------------------------------------------------------

  #openReader(): LogReader {
    if (this.#reader === null) throw new ConfigError('INVALID_OPTION', 'the reader is not open');
    return this.#reader;
  }

  #openLease(): Promise<Lease> {
    const { group, leaseMs, eventLoopTimeoutMs } = this.#options;
    return this.#context.backend.openLease(
      { group, leaseMs, eventLoopTimeoutMs },
      {
        onView: (view) => this.#onView(view),
        onWake: (what) => this.#onWake(what),
        onEnd: (session, end) => this.#onLeaseEnd(session, end),
        onBlocked: (blockedMs) =>
          this.#troubles.report(whileBlocked(blockedMs, this.#options.eventLoopTimeoutMs)),
        onThreadFailure: (error) => this.#fail(toMillraceError(error, 'lease thread')),
      },
    );
  }

  async #join(): Promise<void> {
    if (this.#lease === null) return;
    const { instanceId, group, capacity, leaseMs, assignor } = this.#options;
    const joined = await joinGroup(
      { clock: this.#context.clock, random: this.#context.random, group: this.#group, lease: this.#lease },
      {
        group,
        clientName: this.#context.name,
        description: {
          ...(instanceId === undefined ? {} : { instanceId }),
          host: hostname(),
          pid: process.pid,
          subscriptions: this.#selectors.map((selector) => toSubscription(selector)),
          capacity,
          leaseMs,
          assignor: assignor.name,
        },
      },
      this.#stopping.signal,
    );
    if (joined === null) return;
    this.#member = joined.member;
    this.#identity = { memberId: joined.member.memberId, session: joined.member.session };
    this.#ownership.begin(joined.view.generation, joined.claims);
    this.#leader.start(joined.view);
    this.#onView(joined.view);
  }

  /** The group does not know this member any more: everything is lost, and it joins anew. */
  #rejoin(reason: LostReason): void {
    if (this.#identity === null) return;
    this.#identity = null;
    this.#ownership.loseAll(reason);
    if (this.#stopping.signal.aborted) return;
    this.#joining ??= this.#joinAgain().finally(() => {
      this.#joining = null;
    });
  }

  async #joinAgain(): Promise<void> {
    await this.#leader.stop();
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#lease?.drop();
        await this.#join();
        return;
      } catch (error) {
        if (error instanceof MillraceError && !error.retryable) {
          this.#fail(error);
          return;
        }
        this.#troubles.reportTransport(error, 'join');
        await delay(this.#context.clock, REJOIN_DELAY_MS, this.#stopping.signal);
      }
    }
  }

  /** From now on this member gets nothing new, and others may take over each partition as soon as it is released. */
  async #announceLeave(): Promise<void> {
    if (this.#member === null || this.#identity === null) return;
    try {
      await this.#group.update({ ...this.#member, isLeaving: true }, 'leaving');
    } catch (error) {
      this.#troubles.reportTransport(error, 'leave');
    }
  }

  async #leave(): Promise<void> {
    if (this.#identity === null) return;
    try {
      await this.#group.leave(this.#identity.memberId, this.#identity.session);
    } catch (error) {
      // The leader finds the closed connection; it only takes a moment longer.
      this.#troubles.reportTransport(error, 'leave');
    }
  }

  /** Nothing that a retry can mend: the consumer reports it and closes. */
  #fail(error: MillraceError): void {
    this.#troubles.report(error);
    this.#onFatal();
  }

  // --- what the lease thread says ----------------------------------------------------------------------------------

  #onView(view: GroupView): void {
    if (this.#identity === null) return;
    this.#leader.onView(view);
    if (view.assignmentGeneration !== this.#ownership.appliedGeneration) this.#ownership.request();
  }

  #onWake(what: string): void {
    if (this.#identity === null) return;
    if (what === 'assignment' || what === 'released') this.#ownership.request();
    this.#leader.onWake(what);
  }

  #onLeaseEnd(session: string, end: LeaseEnd): void {
    if (this.#identity?.session !== session) return;
    if (end !== 'replaced') {
      this.#rejoin(end);
      return;
    }
    const { memberId } = this.#identity;
    this.#identity = null;
    this.#ownership.loseAll('replaced');
    this.#fail(replacedBy(this.#options.group, memberId));
  }

  #onReconnect(): void {
    this.#leader.onReconnect();
    this.#ownership.request();
  }

  // --- work --------------------------------------------------------------------------------------------------------

  #checkRegularly(): void {
    const { clock } = this.#context;
    const intervalMs = Math.min(CHECK_INTERVAL_MS, heartbeatIntervalMs(this.#options.leaseMs));
    const dueMs = clock.monotonicMs() + intervalMs;
    this.#check = clock.startTimer(intervalMs, () => {
      this.#checkRegularly();
      const nowMs = clock.monotonicMs();
      // The lease thread's message about a blocked event loop comes after this timer.
      const wasBlocked = nowMs - dueMs >= this.#options.eventLoopTimeoutMs;
      if (this.#lease?.health() === 'expired')
        this.#ownership.loseAll(wasBlocked ? 'event-loop-blocked' : 'lease-expired');
      for (const { lane, worker } of this.#ownership.workers()) {
        const slow = this.#slowCalls.look(lane, worker.callStartedMs, nowMs);
        if (slow !== null) this.#troubles.report(slow);
      }
      this.#commitCheck.look(nowMs);
    });
  }

  #checkCommits(): CommitCheck {
    const { group, leaseMs } = this.#options;
    return new CommitCheck(
      {
        clock: this.#context.clock,
        commits: () => [...this.#ownership.lanes()].map(({ commits }) => commits),
        askGroup: () => this.#group.readTarget(this.memberId),
        holder: () => (this.#lease?.health() === 'held' ? this.#identity : null),
        onCutOff: (error) => {
          this.#troubles.report(error);
          this.#rejoin('cut-off');
        },
      },
      group,
      leaseMs,
    );
  }

  #startWorker(lane: Lane): LaneWorker<V> {
    const handlers = this.#handlers;
    const lease = this.#lease;
    if (handlers === null || lease === null)
      throw new ConfigError('INVALID_OPTION', 'the consumer does not run');
    return new LaneWorker<V>(
      lane,
      {
        clock: this.#context.clock,
        slots: this.#slots,
        handlers,
        turns: this.#turns,
        decoders: this.#decoders,
        leaseHealth: (nowMs) => lease.health(nowMs),
        onError: (error) => this.#troubles.report(error),
        pause: (paused) => {
          this.pause(paused.key);
          return () => this.resume(paused.key);
        },
      },
      this.#options,
    );
  }
}
