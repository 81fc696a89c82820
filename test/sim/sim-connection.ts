/**
 * One connection of one process to Redis, with what goes wrong on real ones: slow, cut with commands under way, silent,
 * a reply lost after the execution, a command executed twice or long after its sender gave up. What the caller is told
 * is what `toMillraceError` makes of the driver's errors.
 */
import { UnavailableError } from '@millrace/core';
import type { SeededRandom } from './seeded-random.ts';
import type { Domain, Simulation } from './simulation.ts';

export type ConnectionRole = 'command' | 'reader' | 'lease';

/** What a connection needs to know of the server. */
export interface ServerSide {
  readonly isDown: boolean;
  readonly stalledUntilMs: number;
  /** The server has noticed that the connection is gone. */
  onDisconnect(connection: SimConnection, session: number): void;
}

interface Call {
  readonly what: string;
  readonly session: number;
  readonly execute: (reply: (value: unknown) => void, refuse: (error: Error) => void) => void;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  isExecuted: boolean;
  isOver: boolean;
  /** Never reaches the server. */
  isDropped: boolean;
  lateMs: number;
}

export interface Cut {
  /** Until the first attempt to connect again. */
  readonly forMs: number;
  /** What is under way arrives although nobody waits for it any more. */
  readonly isLate: boolean;
  /** The server goes on believing in the connection for so long. */
  readonly halfOpenMs: number;
}

/** As `connectionOptions` has it: silence after which a connection with a reply due is given up. */
const SILENCE_MS: Record<ConnectionRole, number> = { command: 10_000, reader: 7_000, lease: 3_000 };
const RECONNECT_MS = 50;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_LATE_MS = 4_000;

type Listener = (...values: never[]) => void;

export class SimConnection {
  readonly name: string;
  readonly role: ConnectionRole;
  readonly domain: Domain;
  status: 'ready' | 'reconnecting' | 'end' = 'reconnecting';
  /** Another one after every reconnect. */
  session = 1;
  /** The next calls, so many, are executed and never answered. */
  repliesToLose = 0;
  /** The next calls, so many, are executed a second time. */
  callsToRepeat = 0;
  /** Added to every way until `slowUntilMs`. */
  slowMs = 0;
  slowUntilMs = 0;
  silentUntilMs = 0;
  readonly #simulation: Simulation;
  readonly #server: ServerSide;
  readonly #random: SeededRandom;
  readonly #pending = new Set<Call>();
  readonly #listeners = new Map<string, Set<Listener>>();
  #lastArrivalMs = 0;
  #lastReplyMs = 0;

  constructor(
    simulation: Simulation,
    server: ServerSide,
    random: SeededRandom,
    domain: Domain,
    name: string,
    role: ConnectionRole,
  ) {
    this.#simulation = simulation;
    this.#server = server;
    this.#random = random;
    this.domain = domain;
    this.name = name;
    this.role = role;
    simulation.schedule(this.#wayMs(), domain, 'connect', () => this.#reconnect());
  }

  /** Resolves when it is there. Rejects after a while, for good. */
  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.status === 'ready') {
        resolve();
        return;
      }
      const timeout = this.#simulation.schedule(CONNECT_TIMEOUT_MS, this.domain, 'connect timeout', () => {
        this.close();
        reject(unreachable('connect', 'none'));
      });
      const onReady = (): void => {
        timeout.cancel();
        this.off('ready', onReady);
        resolve();
      };
      this.on('ready', onReady);
    });
  }

  get pendingCalls(): number {
    return this.#pending.size;
  }

  call<T>(what: string, execute: () => T): Promise<T> {
    return this.callLater<T>(what, (reply) => reply(execute()));
  }

  /** For a command that is answered when something happens. */
  callLater<T>(
    what: string,
    execute: (reply: (value: T) => void, refuse: (error: Error) => void) => void,
  ): Promise<T> {
    if (this.status !== 'ready') return Promise.reject(unreachable(what, 'none'));
    return new Promise<T>((resolve, reject) => {
      const call: Call = {
        what,
        session: this.session,
        execute,
        resolve,
        reject,
        isExecuted: false,
        isOver: false,
        isDropped: false,
        lateMs: 0,
      };
      this.#pending.add(call);
      const { nowMs } = this.#simulation;
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + this.#wayMs(), this.silentUntilMs);
      this.#simulation.schedule(this.#lastArrivalMs - nowMs, null, `${what} of ${this.name}`, () =>
        this.#arrive(call),
      );
      this.#giveUpAfterSilence();
    });
  }

  /** Breaks it. It comes back by itself. */
  cut({ forMs, isLate, halfOpenMs }: Cut): void {
    if (this.status !== 'ready') return;
    this.status = 'reconnecting';
    const { session } = this;
    this.#settleSession(isLate);
    this.#simulation.schedule(halfOpenMs, null, `server drops ${this.name}`, () =>
      this.#server.onDisconnect(this, session),
    );
    this.#simulation.schedule(forMs + this.#random.next() * RECONNECT_MS, this.domain, 'reconnect', () =>
      this.#reconnect(),
    );
  }

  /** Nothing gets through for so long, in no direction; nobody is told. */
  silence(forMs: number): void {
    this.silentUntilMs = Math.max(this.silentUntilMs, this.#simulation.nowMs + forMs);
    if (this.#pending.size > 0) this.#giveUpAfterSilence();
  }

  /** The server stands still: noticed in the same way. */
  noticeStall(): void {
    if (this.#pending.size > 0) this.#giveUpAfterSilence();
  }

  /** For good: by its process, or because that has died. */
  close(halfOpenMs = 0): void {
    if (this.status === 'end') return;
    const { session, status } = this;
    this.status = 'end';
    this.#settleSession(this.#random.chance(0.5));
    if (status !== 'ready') return;
    this.#simulation.schedule(halfOpenMs, null, `server drops ${this.name}`, () =>
      this.#server.onDisconnect(this, session),
    );
  }

  on(event: string, listener: Listener): this {
    const listeners = this.#listeners.get(event) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(event, listeners);
    return this;
  }

  off(event: string, listener: Listener): this {
    this.#listeners.get(event)?.delete(listener);
    return this;
  }

  emit(event: string, ...values: unknown[]): void {
    for (const listener of Array.from(this.#listeners.get(event) ?? [])) listener(...(values as never[]));
  }

  /** A message of the server to this session. */
  push(what: string, event: string, ...values: unknown[]): void {
    const { session } = this;
    const { nowMs } = this.#simulation;
    const dueMs = Math.max(nowMs + this.#wayMs(), this.silentUntilMs);
    this.#simulation.schedule(dueMs - nowMs, this.domain, what, () => {
      if (this.session === session && this.status === 'ready') this.emit(event, ...values);
    });
  }

  #arrive(call: Call): void {
    if (call.isDropped) return;
    const { nowMs } = this.#simulation;
    const isLive = call.session === this.session && this.status === 'ready';
    const untilMs = Math.max(
      this.#server.stalledUntilMs,
      isLive ? this.silentUntilMs : 0,
      nowMs + call.lateMs,
    );
    call.lateMs = 0;
    if (untilMs > nowMs) {
      this.#simulation.schedule(untilMs - nowMs, null, `${call.what} of ${this.name} again`, () =>
        this.#arrive(call),
      );
      return;
    }
    if (this.#server.isDown) return;
    call.isExecuted = true;
    call.execute(
      (value) => this.#answer(call, () => call.resolve(value as never)),
      (error) => this.#answer(call, () => call.reject(error)),
    );
    if (this.callsToRepeat > 0) {
      this.callsToRepeat--;
      this.#simulation.schedule(this.#random.next() * 100, null, `${call.what} of ${this.name} twice`, () => {
        if (!this.#server.isDown)
          call.execute(
            () => {},
            () => {},
          );
      });
    }
  }

  #answer(call: Call, settle: () => void): void {
    if (call.isOver || call.session !== this.session || this.status !== 'ready') return;
    if (this.repliesToLose > 0) {
      this.repliesToLose--;
      this.cut({ forMs: 0, isLate: false, halfOpenMs: 0 });
      return;
    }
    const { nowMs } = this.#simulation;
    this.#lastReplyMs = Math.max(this.#lastReplyMs, nowMs + this.#wayMs(), this.silentUntilMs);
    this.#simulation.schedule(this.#lastReplyMs - nowMs, this.domain, `reply to ${call.what}`, () => {
      if (call.isOver) return;
      call.isOver = true;
      this.#pending.delete(call);
      settle();
    });
  }

  #settleSession(isLate: boolean): void {
    this.session++;
    this.silentUntilMs = 0;
    for (const call of this.#pending) {
      call.isOver = true;
      if (!call.isExecuted) {
        call.isDropped = !isLate && this.#random.chance(0.5);
        if (isLate) call.lateMs = this.#random.next() * MAX_LATE_MS;
      }
      this.#simulation.schedule(0, this.domain, `loss of ${call.what}`, () =>
        call.reject(unreachable(call.what, 'unknown')),
      );
    }
    this.#pending.clear();
  }

  #reconnect(): void {
    if (this.status !== 'reconnecting') return;
    const isReachable =
      !this.#server.isDown &&
      this.#server.stalledUntilMs <= this.#simulation.nowMs &&
      this.silentUntilMs <= this.#simulation.nowMs;
    if (!isReachable) {
      this.#simulation.schedule(100 + this.#random.next() * 300, this.domain, 'reconnect', () =>
        this.#reconnect(),
      );
      return;
    }
    this.status = 'ready';
    this.#lastArrivalMs = 0;
    this.#lastReplyMs = 0;
    this.emit('ready');
  }

  #giveUpAfterSilence(): void {
    const { nowMs } = this.#simulation;
    const silenceMs = SILENCE_MS[this.role];
    const quietUntilMs = Math.max(this.silentUntilMs, this.#server.stalledUntilMs);
    if (quietUntilMs - nowMs <= silenceMs) return;
    const { session, silentUntilMs } = this;
    this.#simulation.schedule(silenceMs, this.domain, 'silence', () => {
      if (this.session !== session) return;
      const restMs = Math.max(0, silentUntilMs - this.#simulation.nowMs);
      this.cut({ forMs: restMs, isLate: true, halfOpenMs: restMs });
    });
  }

  #wayMs(): number {
    const { nowMs } = this.#simulation;
    const usualMs = 0.05 + this.#random.next() * 0.4;
    const tailMs = this.#random.chance(0.02) ? this.#random.next() * 25 : 0;
    const slowMs = nowMs < this.slowUntilMs ? this.#random.next() * this.slowMs : 0;
    return usualMs + tailMs + slowMs;
  }
}

export function unreachable(what: string, execution: 'none' | 'unknown'): UnavailableError {
  return new UnavailableError('REDIS_UNREACHABLE', `${what}: the connection to Redis was lost`, {
    details: { execution },
  });
}
