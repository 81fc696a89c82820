/**
 * One member's life: joins, holds its lease, owns partitions, leads when it is elected, leaves. Wires the parts
 * together; what each of them decides is in its own file and in core.
 */
import { hostname } from 'node:os';
import {
  ConfigError,
  FencedError,
  HandlerError,
  heartbeatIntervalMs,
  MillraceError,
  parsePartitionKey,
  parseSubscription,
  partitionKey,
  type GroupView,
  type MemberDescription,
  type PartitionKey,
  type Timer,
} from '@millrace/core';
import {
  closeConnection,
  MAX_BLOCK_MS,
  openConnection,
  readBatches,
  RedisGroupStore,
  RedisPartitionStore,
  RedisTopicStore,
  toMillraceError,
  type RedisConnection,
} from '@millrace/redis';
import { delay } from '../clock/delay.ts';
import { connectionName, type ClientContext } from '../connect/client-context.ts';
import { LeaseKeeper } from '../lease/lease-keeper.ts';
import type { LeaseEnd } from '../lease/lease-messages.ts';
import type { TopicSelector } from '../topic/topic-definition.ts';
import { ConsumerEmitter, type LostReason, type OwnedPartition } from './consumer-events.ts';
import type { TopicPartition, TopicPartitionOffset } from './consumer.ts';
import { Fetcher } from './fetcher.ts';
import type { Handlers } from './handlers.ts';
import { LaneWorker } from './lane-worker.ts';
import type { Lane } from './lane.ts';
import { Leader } from './leader.ts';
import { joinGroup } from './membership.ts';
import type { ResolvedOptions } from './options.ts';
import { Ownership, type Identity } from './ownership.ts';
import { recordDecoder } from './record-decoder.ts';
import { Slots } from './slots.ts';
import { Troubles } from './troubles.ts';

const PRESENCE_GRACE_MS = 200;
const WATCH_INTERVAL_MS = 200;
const DEPUTY_WATCH_INTERVAL_MS = 1_000;
const AUDIT_INTERVAL_MS = 2_000;
const JOIN_DELAY_MS = 100;
const MAX_READ_BYTES = 4 * 1_048_576;
const REJOIN_DELAY_MS = 200;

export class GroupMember<V> {
  readonly emitter: ConsumerEmitter;

  readonly #context: ClientContext;
  readonly #options: ResolvedOptions;
  readonly #selectors: readonly TopicSelector[];
  readonly #onFatal: () => void;
  readonly #troubles: Troubles;
  readonly #group: RedisGroupStore;
  readonly #partitions: RedisPartitionStore;
  readonly #topics: RedisTopicStore;
  readonly #paused = new Set<PartitionKey>();
  readonly #stopping = new AbortController();
  readonly #leader: Leader;
  readonly #ownership: Ownership<V>;
  readonly #fetcher: Fetcher;
  readonly #slots: Slots;
  #handlers: Handlers<V> | null = null;
  #member: MemberDescription | null = null;
  #identity: Identity | null = null;
  #lease: LeaseKeeper | null = null;
  #reader: RedisConnection | null = null;
  #readerId = 0;
  #joining: Promise<void> | null = null;
  #check: Timer | null = null;
  #reportedCalls = new WeakMap<Lane, number>();

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
    const { clock, random, command, keys, logger } = context;
    this.emitter = new ConsumerEmitter((error, event) => {
      logger.error({ err: error, event, group: options.group }, 'a listener of the consumer threw');
    });
    this.#troubles = new Troubles(clock, logger, this.emitter, options.group);
    this.#group = new RedisGroupStore(command, keys, options.group, clock);
    this.#partitions = new RedisPartitionStore(command, keys);
    this.#topics = new RedisTopicStore(command, keys);
    this.#slots = new Slots(options.partitionsConsumedConcurrently);
    const shared = {
      clock,
      random,
      group: this.#group,
      identity: () => this.#identity,
      onError: (error: MillraceError) => this.#troubles.report(error),
      onTransportFailure: (error: unknown, during: string) => this.#troubles.reportTransport(error, during),
    };
    this.#leader = new Leader(
      {
        ...shared,
        topics: this.#topics,
        onLeading: (isLeading) => logger.info({ group: options.group, isLeading }, 'leadership'),
      },
      {
        assignor: options.assignor,
        leaseMs: options.leaseMs,
        presenceGraceMs: PRESENCE_GRACE_MS,
        watchIntervalMs: WATCH_INTERVAL_MS,
        deputyWatchIntervalMs: DEPUTY_WATCH_INTERVAL_MS,
        auditIntervalMs: AUDIT_INTERVAL_MS,
        joinDelayMs: JOIN_DELAY_MS,
        handOverTimeoutMs: options.drainTimeoutMs + options.leaseMs,
      },
    );
    this.#ownership = new Ownership<V>(
      {
        ...shared,
        partitions: this.#partitions,
        emitter: this.emitter,
        mayOwn: () => this.#lease?.health() === 'held',
        isPaused: (key) => this.#paused.has(key),
        startWorker: (lane) => this.#startWorker(lane),
        onUnknownMember: () => this.#rejoin('evicted'),
        onWantsFetch: () => this.#fetcher.notify(),
      },
      options,
    );
    this.#fetcher = new Fetcher(
      {
        clock,
        lanes: () => this.#ownership.lanes(),
        read: (positions, maxEntries, blockMs) =>
          readBatches(this.#readerConnection(), keys, positions, { maxEntries, blockMs }),
        unblock: () => this.#unblockReader(),
        onTransportFailure: shared.onTransportFailure,
      },
      { blockMs: MAX_BLOCK_MS, maxReadBytes: MAX_READ_BYTES },
    );
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

  async start(handlers: Handlers<V>): Promise<void> {
    this.#handlers = handlers;
    await this.#verifyTopics();
    const { config, prefix } = this.#context;
    this.#reader = await openConnection(config, 'reader', connectionName(this.#context, 'reader'));
    this.#reader.on('ready', this.#onReaderReady);
    await this.#learnReaderId();
    this.#lease = await LeaseKeeper.open(
      {
        connection: config,
        connectionName: connectionName(this.#context, 'lease'),
        prefix,
        group: this.#options.group,
        leaseMs: this.#options.leaseMs,
        eventLoopTimeoutMs: this.#options.eventLoopTimeoutMs,
      },
      this.#context.clock,
      {
        onView: (view) => this.#onView(view),
        onWake: (what) => this.#onWake(what),
        onEnd: (session, end) => this.#onLeaseEnd(session, end),
        onBlocked: (blockedMs) => this.#onBlocked(blockedMs),
        onThreadFailure: (error) => this.#fail(toMillraceError(error, 'lease thread')),
      },
    );
    this.#context.command.on('ready', this.#onCommandReady);
    await this.#join();
    this.#fetcher.start();
    this.#checkRegularly();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#check?.cancel();
    await this.#joining?.catch(() => {});
    this.#context.command.off('ready', this.#onCommandReady);
    const isStatic = this.#options.instanceId !== undefined;
    // The next leader can begin while this member is still draining.
    await this.#leader.stop(true);
    if (this.#member !== null && this.#identity !== null && !isStatic)
      await this.#announceLeave(this.#member);
    await this.#ownership.close('the consumer is closing', isStatic);
    if (this.#identity !== null && !isStatic) await this.#leave(this.#identity);
    this.#identity = null;
    // Closing the connection ends a blocked read at once.
    if (this.#reader !== null) {
      this.#reader.off('ready', this.#onReaderReady);
      const reader = this.#reader;
      await Promise.all([this.#fetcher.close(), closeConnection(reader)]);
    }
    await this.#lease?.close();
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
    return [...this.#paused].map(parsePartitionKey);
  }

  async seek({ topic, partition, offset }: TopicPartitionOffset): Promise<void> {
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new ConfigError(
        'INVALID_OPTION',
        `seek: offset must be an integer from 0, got ${String(offset)}`,
      );
    }
    const lane = this.#ownedLane(partitionKey(topic, partition), 'seek');
    let from = 0;
    await lane.commits.restart(async () => {
      const result = await this.#partitions.seek(lane.fence, offset);
      switch (result.status) {
        case 'SOUGHT':
          from = result.from;
          lane.restartAt(offset);
          return offset;
        case 'FENCED':
          lane.lose('fenced', true);
          throw fenced(lane);
        case 'OUT_OF_RANGE':
          throw new ConfigError(
            'INVALID_OPTION',
            `seek: ${lane.key} holds ${result.logStart} to ${result.logEnd}, offset ${offset} is outside`,
          );
        default:
          return result satisfies never;
      }
    });
    await this.#group.appendEvent('offset-sought', {
      partition: lane.key,
      from: String(from),
      to: String(offset),
      member: this.memberId,
    });
  }

  async commit(offsets?: readonly TopicPartitionOffset[]): Promise<void> {
    const lanes =
      offsets === undefined
        ? [...this.#ownership.lanes()]
        : offsets.map((offset) => this.#noteOffset(offset));
    if (offsets === undefined) for (const lane of lanes) lane.commits.note(lane.position);
    await Promise.all(
      lanes.map(async (lane) => {
        try {
          await lane.commits.flush();
        } catch (error) {
          throw toMillraceError(error, `commit of ${lane.key}`);
        }
        if (lane.phase === 'ended' && lane.commits.committed < lane.commits.processed) throw fenced(lane);
      }),
    );
  }

  #noteOffset({ topic, partition, offset }: TopicPartitionOffset): Lane {
    const lane = this.#ownedLane(partitionKey(topic, partition), 'commit');
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > lane.delivered) {
      throw new ConfigError(
        'INVALID_OPTION',
        `commit: offset ${String(offset)} of ${lane.key} is not the next after a delivered record (at most ${lane.delivered})`,
      );
    }
    lane.commits.note(offset);
    return lane;
  }

  #ownedLane(key: PartitionKey, what: string): Lane {
    const lane = this.#ownership.lane(key);
    if (lane === undefined)
      throw new ConfigError('INVALID_OPTION', `${what}: partition ${key} is not owned by this consumer`);
    return lane;
  }

  // --- joining and leaving -----------------------------------------------------------------------------------------

  /** A name that does not exist is a mistake of now; a pattern may match later. */
  async #verifyTopics(): Promise<void> {
    const existing = await this.#topics.partitionCounts();
    for (const selector of this.#selectors) {
      if (selector instanceof RegExp) continue;
      const name = typeof selector === 'string' ? selector : selector.name;
      if (existing.has(name)) continue;
      throw new ConfigError(
        'UNKNOWN_TOPIC',
        `topic "${name}" does not exist: create it with admin.createTopic("${name}", { partitions })`,
        { details: { topic: name } },
      );
    }
  }

  async #join(): Promise<void> {
    const joined = await joinGroup(
      { clock: this.#context.clock, random: this.#context.random, group: this.#group, lease: this.#lease! },
      {
        group: this.#options.group,
        clientName: this.#context.name,
        description: {
          ...(this.#options.instanceId === undefined ? {} : { instanceId: this.#options.instanceId }),
          host: hostname(),
          pid: process.pid,
          subscriptions: this.#selectors.map(toSubscription),
          capacity: this.#options.capacity,
          leaseMs: this.#options.leaseMs,
          assignor: this.#options.assignor.name,
        },
      },
      this.#stopping.signal,
    );
    if (joined === null) return;
    this.#member = joined.member;
    this.#identity = { memberId: joined.member.memberId, session: joined.member.session };
    this.#leader.start();
    this.#onView(joined.view);
  }

  /** The group does not know this member any more: everything is lost, and it joins anew. */
  #rejoin(reason: LostReason): void {
    if (this.#identity === null || this.#stopping.signal.aborted) return;
    this.#identity = null;
    this.#ownership.loseAll(reason);
    this.#joining ??= this.#joinUntilDone().finally(() => {
      this.#joining = null;
    });
  }

  async #joinUntilDone(): Promise<void> {
    await this.#leader.stop(false);
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

  async #announceLeave(member: MemberDescription): Promise<void> {
    try {
      await this.#group.update({ ...member, isLeaving: true }, 'leaving');
    } catch (error) {
      this.#troubles.reportTransport(error, 'leave');
    }
  }

  async #leave(identity: Identity): Promise<void> {
    try {
      await this.#group.leave(identity.memberId, identity.session);
    } catch (error) {
      // The leader finds the closed connection; it only takes a moment longer.
      this.#troubles.reportTransport(error, 'leave');
    }
  }

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
    const memberId = this.memberId;
    this.#identity = null;
    this.#ownership.loseAll('replaced');
    this.#fail(
      new ConfigError(
        'DUPLICATE_INSTANCE_ID',
        `another process has joined group ${this.#options.group} as instance "${memberId}": give every process its own; this consumer stops`,
      ),
    );
  }

  #onBlocked(blockedMs: number): void {
    this.#troubles.report(
      new HandlerError(
        'EVENT_LOOP_BLOCKED',
        `the event loop stood still for ${Math.round(blockedMs)} ms, a handler computes without pause: move the work to a worker thread; ` +
          `after ${this.#options.eventLoopTimeoutMs} ms its partitions are given to others`,
        { details: { blockedMs: Math.round(blockedMs) } },
      ),
    );
  }

  // --- regular checks ----------------------------------------------------------------------------------------------

  #checkRegularly(): void {
    this.#check = this.#context.clock.startTimer(
      Math.min(500, heartbeatIntervalMs(this.#options.leaseMs)),
      () => {
        this.#checkRegularly();
        if (this.#lease?.health() === 'expired') this.#ownership.loseAll('lease-expired');
        this.#reportSlowCalls();
      },
    );
  }

  #reportSlowCalls(): void {
    const nowMs = this.#context.clock.monotonicMs();
    for (const { lane, worker } of this.#ownership.workers()) {
      const startedMs = worker.callStartedMs;
      if (startedMs === null || nowMs - startedMs < this.#options.handlerTimeoutMs) continue;
      if (this.#reportedCalls.get(lane) === startedMs) continue;
      this.#reportedCalls.set(lane, startedMs);
      this.#troubles.report(
        new HandlerError(
          'HANDLER_TIMED_OUT',
          `the handler has not returned for ${Math.round(nowMs - startedMs)} ms at ${lane.key} offset ${lane.position}: the partition waits for it, others go on`,
          { details: { topic: lane.topic, partition: lane.partition, offset: lane.position } },
        ),
      );
    }
  }

  // --- connections -------------------------------------------------------------------------------------------------

  readonly #onCommandReady = (): void => {
    this.#leader.onReconnect();
    this.#ownership.request();
  };

  readonly #onReaderReady = (): void => {
    void this.#learnReaderId().catch(() => {});
  };

  async #learnReaderId(): Promise<void> {
    this.#readerId = Number(await this.#readerConnection().client('ID'));
  }

  #readerConnection(): RedisConnection {
    if (this.#reader === null) throw new ConfigError('INVALID_OPTION', 'the consumer does not run');
    return this.#reader;
  }

  async #unblockReader(): Promise<boolean> {
    return Number(await this.#context.command.client('UNBLOCK', this.#readerId)) === 1;
  }

  #startWorker(lane: Lane): LaneWorker<V> {
    return new LaneWorker<V>(
      lane,
      {
        clock: this.#context.clock,
        slots: this.#slots,
        handlers: this.#handlers!,
        decode: recordDecoder<V>(this.#selectors),
        leaseHealth: () => this.#lease!.health(),
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

function toSubscription(selector: TopicSelector): ReturnType<typeof parseSubscription> {
  return parseSubscription(
    typeof selector === 'string' || selector instanceof RegExp ? selector : selector.name,
  );
}

function fenced(lane: Lane): FencedError {
  return new FencedError('FENCED', `${lane.key} is owned by another member by now: the commit was refused`, {
    details: { topic: lane.topic, partition: lane.partition, epoch: lane.epoch },
  });
}
