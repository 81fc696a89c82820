/**
 * A lease as the product has it: the real `LeaseLoop` in a thread of its own, which here is a domain of its own. What
 * the two threads say to each other takes a moment; the times that they share do not.
 */
import { leaseHealth, UnavailableError, type Clock, type LeaseHealth, type Timer } from '@millrace/core';
import { keepSubscribed, type RedisConnection } from '@millrace/redis';
import type { LeaseSettings } from '../../packages/client/src/connect/backend.ts';
import type { Lease, LeaseListener } from '../../packages/client/src/lease/lease-keeper.ts';
import { LeaseLoop } from '../../packages/client/src/lease/lease-loop.ts';
import type { SimConnection } from './sim-connection.ts';
import { keys, type SimRedis } from './sim-redis.ts';
import type { Domain, Simulation } from './simulation.ts';

const MESSAGE_MS = 0.05;
const ANSWER_TIMEOUT_MS = 5_000;

export interface SimLeasePorts {
  readonly simulation: Simulation;
  readonly redis: SimRedis;
  readonly main: Domain;
  readonly mainClock: Clock;
  readonly threadClock: Clock;
  /** Its domain is the thread. */
  readonly connection: SimConnection;
}

export class SimLease implements Lease {
  readonly #ports: SimLeasePorts;
  readonly #settings: LeaseSettings;
  readonly #listener: LeaseListener;
  readonly #loop: LeaseLoop;
  #renewalSentMs = 0;
  #disappear: (() => Promise<void>) | null = null;
  #tail: Promise<void> = Promise.resolve();
  #awaited: { resolve(): void; reject(error: Error): void } | null = null;

  constructor(ports: SimLeasePorts, settings: LeaseSettings, listener: LeaseListener) {
    this.#ports = ports;
    this.#settings = settings;
    this.#listener = listener;
    const { connection, redis, threadClock } = ports;
    this.#loop = new LeaseLoop(
      {
        clock: threadClock,
        heartbeat: (memberId, session) =>
          connection.call('heartbeat', () =>
            redis.write(settings.group, (model) => model.heartbeat(memberId, session)),
          ),
        noteRenewal: (sentMs) => this.#noteRenewal(sentMs),
        mainIdleMs: () => this.#mainIdleMs(),
        onView: (view) => this.#tell('view', () => listener.onView(view)),
        onBlocked: (blockedMs) => this.#tell('blocked', () => listener.onBlocked(blockedMs)),
        onEnd: (session, end) => {
          this.#tell(end, () => listener.onEnd(session, end));
          if (end === 'event-loop-blocked') void this.#stopPresence();
        },
      },
      settings,
    );
    connection.on('ready', () => this.#loop.onReconnect());
    const { wake } = keys.group(settings.group);
    connection.on('smessage', (channel: string, message: string) => {
      if (channel === wake) this.#tell(message, () => listener.onWake(message));
    });
  }

  appear(memberId: string): Promise<void> {
    return this.#ask('appear', async () => {
      await this.#stopPresence();
      const groupKeys = keys.group(this.#settings.group);
      const channels = [groupKeys.presence(memberId), groupKeys.wake];
      this.#disappear = await keepSubscribed(this.#subscriber(), channels);
    });
  }

  hold(memberId: string, session: string, joinSentMs: number): void {
    this.#noteRenewal(joinSentMs);
    this.#obey('hold', async () => this.#loop.hold(memberId, session));
  }

  drop(): Promise<void> {
    return this.#ask('drop', async () => {
      this.#loop.drop();
      await this.#stopPresence();
    });
  }

  health(): LeaseHealth {
    return leaseHealth(this.#renewalSentMs, this.#ports.mainClock.monotonicMs(), this.#settings.leaseMs);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#obey('close', async () => {
        this.#loop.drop();
        this.#ports.connection.close();
        this.#tell('closed', resolve);
      });
    });
  }

  /** Whole milliseconds, as the memory that the threads share holds them. */
  #noteRenewal(sentMs: number): void {
    this.#renewalSentMs = Math.floor(sentMs);
  }

  #mainIdleMs(): number {
    const { main, simulation } = this.#ports;
    return main.idleSinceMs === null ? 0 : simulation.nowMs - main.idleSinceMs;
  }

  async #stopPresence(): Promise<void> {
    const stop = this.#disappear;
    this.#disappear = null;
    await stop?.().catch(() => {});
  }

  #subscriber(): RedisConnection {
    const { connection, redis } = this.#ports;
    const subscriber = {
      get status() {
        return connection.status;
      },
      ssubscribe: (...channels: string[]) => {
        const { session } = connection;
        return connection.call('ssubscribe', () => redis.subscribe(connection, session, channels));
      },
      sunsubscribe: (...channels: string[]) =>
        connection.call('sunsubscribe', () => redis.unsubscribe(connection, channels)),
      on: (event: string, run: () => void) => connection.on(event, run),
      off: (event: string, run: () => void) => connection.off(event, run),
      disconnect: () => connection.cut({ forMs: 0, isLate: false, halfOpenMs: 0 }),
    };
    return subscriber as unknown as RedisConnection;
  }

  // --- between the threads -----------------------------------------------------------------------------------------

  #tell(what: string, run: () => void): void {
    this.#ports.simulation.schedule(MESSAGE_MS, this.#ports.main, `lease thread: ${what}`, run);
  }

  /** One at a time, in order: a drop must not overtake the appearance before it. */
  #obey(what: string, run: () => Promise<void>): void {
    const thread = this.#ports.connection.domain;
    this.#ports.simulation.schedule(MESSAGE_MS, thread, `to the lease thread: ${what}`, () => {
      this.#tail = this.#tail.then(run).catch((error: unknown) => {
        const failure = error instanceof Error ? error : new Error(String(error));
        this.#tell('failed', () => this.#onFailure(failure));
      });
    });
  }

  #ask(what: string, run: () => Promise<void>): Promise<void> {
    this.#obey(what, async () => {
      await run();
      this.#tell('done', () => {
        this.#awaited?.resolve();
        this.#awaited = null;
      });
    });
    return new Promise((resolve, reject) => {
      const timer: Timer = this.#ports.mainClock.startTimer(ANSWER_TIMEOUT_MS, () => {
        this.#awaited = null;
        reject(new UnavailableError('TIMED_OUT', `the lease thread did not answer "${what}"`));
      });
      this.#awaited = {
        resolve: () => {
          timer.cancel();
          resolve();
        },
        reject: (error) => {
          timer.cancel();
          reject(error);
        },
      };
    });
  }

  #onFailure(error: Error): void {
    if (this.#awaited === null) this.#listener.onThreadFailure(error);
    this.#awaited?.reject(error);
    this.#awaited = null;
  }
}
