/**
 * One worker: a process with a client and a consumer of each group, started again by its supervisor when it has ended.
 * It is frozen, killed, and cut off from outside.
 */
import { MillraceError, type Clock } from '@millrace/core';
import type { ClientContext } from '../../packages/client/src/connect/client-context.ts';
import { Consumer, type ConsumerOptions } from '../../packages/client/src/consumer/index.ts';
import { silentLogger } from '../../packages/client/src/logging/logger.ts';
import { DeliveryCheck } from './delivery-check.ts';
import { handlersOf } from './sim-handlers.ts';
import type { SeededRandom } from './seeded-random.ts';
import { createSimBackend } from './sim-backend.ts';
import { SimClock, type ClockSettings } from './sim-clock.ts';
import { SimConnection, type ConnectionRole } from './sim-connection.ts';
import { SimLease } from './sim-lease.ts';
import { keys } from './sim-redis.ts';
import { Domain, type Simulation } from './simulation.ts';
import type { GroupSettings, World } from './world.ts';

/** What nobody should ever see: a defect, whatever went wrong around it. */
const IMPOSSIBLE_ERRORS = new Set([
  'UNEXPECTED_REPLY',
  'INVALID_ASSIGNMENT',
  'CORRUPT_BATCH',
  'FOREIGN_ENTRY',
  'INVALID_OPTION',
  'NO_COMMITTED_OFFSET',
]);

const RESTART_MS = 300;
/** What ends by itself so soon after the last consumer has closed is no leak: the last `unblock` of a fetcher, say. */
const EXIT_MS = 200;

interface Member {
  readonly settings: GroupSettings;
  readonly consumer: Consumer<RegExp>;
  readonly check: DeliveryCheck;
  isRunning: boolean;
}

/** One life of the process. */
interface Life {
  readonly name: string;
  readonly main: Domain;
  readonly domains: Domain[];
  readonly connections: SimConnection[];
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly members: Member[];
  /** Consumers that are not closed. */
  open: number;
  isClosing: boolean;
}

export class SimWorker {
  readonly name: string;
  readonly clock: ClockSettings;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #isStatic: boolean;
  #life: Life | null = null;
  #lives = 0;
  /** When the process should run; a graceful stop or a kill with a pause says otherwise for a while. */
  isWanted = true;
  delivered = 0;

  constructor(world: World, index: number) {
    this.#world = world;
    this.name = `worker-${index + 1}`;
    this.#random = world.random.fork(this.name);
    this.#isStatic = index < world.settings.staticWorkers;
    this.clock = {
      rate: 1 + (this.#random.next() - 0.5) / 500,
      originMs: this.#random.between(1_000, 9_000_000),
      skewMs: this.#random.between(-3_600_000, 3_600_000),
    };
  }

  get isAlive(): boolean {
    return this.#life !== null;
  }

  get isRunning(): boolean {
    return this.#life?.members.every((member) => member.isRunning) === true;
  }

  /** What users of its consumers should have been told by now. */
  untold(): string[] {
    return (this.#life?.members ?? []).flatMap(({ check }) => check.untold());
  }

  get connections(): readonly SimConnection[] {
    return this.#life?.connections ?? [];
  }

  // --- life and death ----------------------------------------------------------------------------------------------

  start(): void {
    if (this.#life !== null) return;
    this.isWanted = true;
    const name = `${this.name}.${++this.#lives}`;
    const random = this.#random.fork(String(this.#lives));
    const main = new Domain(name);
    const clock = new SimClock(this.#world.simulation, main, this.clock);
    const life: Life = {
      name,
      main,
      domains: [main],
      connections: [],
      clock,
      random,
      members: [],
      open: 0,
      isClosing: false,
    };
    this.#life = life;
    this.#world.ownership.disturbed();
    this.#world.simulation.schedule(0, main, `start of ${name}`, () => this.#run(life));
  }

  /** SIGKILL. With `halfOpenMs` the host is gone, and its connections stay as they were for that long. */
  kill(halfOpenMs: number): void {
    const life = this.#life;
    if (life === null) return;
    this.#life = null;
    this.#world.simulation.note(`${life.name} is killed`);
    for (const domain of life.domains) domain.isDead = true;
    for (const connection of life.connections) connection.close(halfOpenMs);
    this.#ended(life);
  }

  /** SIGTERM. */
  close(): void {
    const life = this.#life;
    if (life === null || life.isClosing) return;
    life.isClosing = true;
    this.#world.simulation.note(`${life.name} closes`);
    this.#world.simulation.schedule(0, life.main, 'SIGTERM', () => {
      for (const { consumer } of life.members) void consumer.close();
      if (life.open === 0) this.#exit(life);
    });
  }

  /** SIGSTOP, until SIGCONT. */
  freeze(untilMs: number): void {
    for (const domain of this.#life?.domains ?? []) domain.stall(this.#world.simulation.nowMs, untilMs);
  }

  /** A handler that computes without pause: the main thread alone stands still. */
  block(untilMs: number): void {
    this.#life?.main.stall(this.#world.simulation.nowMs, untilMs);
  }

  /** What a process leaves behind that has closed everything: nothing. */
  leaks(life: {
    readonly domains: readonly Domain[];
    readonly connections: readonly SimConnection[];
  }): string[] {
    const leaks: string[] = [];
    for (const domain of life.domains)
      for (const dueMs of this.#world.simulation.timersOf(domain))
        leaks.push(`a timer of ${domain.name}, due in ${dueMs} ms`);
    for (const connection of life.connections)
      if (connection.status !== 'end' && connection.role !== 'command') leaks.push(connection.name);
    return leaks;
  }

  /** Moves the group's position by hand, as a user does. */
  seek(random: SeededRandom): void {
    const life = this.#life;
    const member = life?.members.find((candidate) => candidate.isRunning);
    if (life === null || member === undefined) return;
    this.#world.simulation.schedule(0, life.main, 'seek', () => {
      const [key] = member.check.ownedKeys().toSorted(() => random.next() - 0.5);
      if (key === undefined) return;
      const next = member.check.next(key);
      const offset = Math.max(0, next + random.between(-6, 2));
      member.check.sought(key, offset);
      const slash = key.lastIndexOf('/');
      const to = { topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)), offset };
      member.consumer.seek(to).catch((error: unknown) => {
        // Out of range, not owned any more, or the connection broke: all of them are answers.
        if (!(error instanceof MillraceError)) throw error;
      });
    });
  }

  #run(life: Life): void {
    const command = this.#connect(life, 'command', life.main);
    command.opened().then(
      () => this.#begin(life, command),
      () => this.#exit(life),
    );
  }

  #begin(life: Life, command: SimConnection): void {
    // SIGTERM came while it connected, and nothing but the process has to end.
    if (life.isClosing) return;
    const context = this.#context(life, command);
    for (const settings of this.#world.settings.groups)
      life.members.push(this.#member(life, context, settings));
    for (const member of life.members) this.#runMember(life, member);
  }

  #runMember(life: Life, member: Member): void {
    const { settings, consumer, check } = member;
    const handlers = handlersOf(
      this.#world,
      settings,
      check,
      () => consumer.memberId,
      // What a handler leaves behind that ignores its signal is its own.
      new SimClock(this.#world.simulation, life.main, this.clock, 'handler'),
      life.random.fork(settings.name),
    );
    consumer.run(handlers).then(
      () => {
        member.isRunning = true;
        this.#world.ownership.disturbed();
      },
      (error: unknown) => {
        this.#world.simulation.note(`${life.name} does not run: ${codeOf(error)}`);
        if (error instanceof MillraceError && !IMPOSSIBLE_ERRORS.has(error.code)) return;
        this.#world.simulation.fail('impossible-error', `${life.name} failed to start: ${String(error)}`);
      },
    );
  }

  #member(life: Life, context: ClientContext, settings: GroupSettings): Member {
    const { handler: _handler, name: group, ...times } = settings;
    const options: ConsumerOptions<RegExp> = {
      group,
      topics: [/^(orders|audit)$/],
      ...times,
      ...(this.#isStatic ? { instanceId: this.name } : {}),
      retry: { initialBackoffMs: 20, maxBackoffMs: 200 },
    };
    life.open++;
    const consumer = new Consumer(context, options);
    const check = new DeliveryCheck(this.#world, group, life.name);
    consumer.on('assigned', ({ partitions }) => check.assigned(partitions, consumer.memberId));
    consumer.on('revoked', ({ partitions }) => check.ended(partitions, 'revoked'));
    consumer.on('lost', ({ partitions, reason }) => check.ended(partitions, `lost: ${reason}`));
    consumer.on('logTruncated', (event) => check.told(event));
    consumer.on('error', (error) => {
      this.#world.simulation.note(`${life.name} tells of ${error.code}`);
      if (IMPOSSIBLE_ERRORS.has(error.code))
        this.#world.simulation.fail(
          'impossible-error',
          `${life.name} tells of ${error.code}: ${error.message}`,
        );
    });
    return { settings, consumer, check, isRunning: false };
  }

  #context(life: Life, command: SimConnection): ClientContext {
    const { redis } = this.#world;
    const backend = createSimBackend({
      redis,
      clock: life.clock,
      random: life.random,
      command,
      connect: (role) => this.#connect(life, role, life.main),
      startLease: async (settings, listener) => {
        const thread = new Domain(`${life.name} lease of ${settings.group}`);
        const { stalledUntilMs } = life.main;
        thread.stalledUntilMs = stalledUntilMs;
        life.domains.push(thread);
        const connection = this.#connect(life, 'lease', thread);
        const ports = {
          simulation: this.#world.simulation,
          redis,
          main: life.main,
          mainClock: life.clock,
          threadClock: new SimClock(this.#world.simulation, thread, this.clock),
          connection,
        };
        await opened(connection, this.#world.simulation, life.main);
        return new SimLease(ports, settings, listener);
      },
    });
    return {
      config: undefined as never,
      command: undefined as never,
      prefix: 'millrace',
      keys,
      name: life.name,
      backend,
      logger: silentLogger,
      onUnheard: () => {},
      clock: life.clock,
      random: life.random,
      onClose: () => () => this.#consumerClosed(life),
    };
  }

  #connect(life: Life, role: ConnectionRole, domain: Domain): SimConnection {
    const { simulation, redis } = this.#world;
    const name = `${life.name} ${role}`;
    const connection = new SimConnection(
      simulation,
      redis,
      life.random.fork(`${role} ${life.connections.length}`),
      domain,
      name,
      role,
    );
    life.connections.push(connection);
    return connection;
  }

  /** By our wish, or by itself: fenced off by another process with its instance id, or unable to join. */
  #consumerClosed(life: Life): void {
    life.open--;
    this.#world.simulation.note(`${life.name} has closed a consumer`);
    if (life.open === 0) this.#exit(life);
    // One of its consumers has given up: the supervisor ends the rest, in order.
    else if (!life.isClosing) this.close();
  }

  #exit(life: Life): void {
    this.#world.simulation.schedule(EXIT_MS, life.main, `exit of ${life.name}`, () => {
      if (this.#life !== life) return;
      this.#life = null;
      const leaks = this.leaks(life);
      if (leaks.length > 0)
        this.#world.simulation.fail('leak', `${life.name} has closed and left ${leaks.join(', ')}`);
      for (const domain of life.domains) domain.isDead = true;
      for (const connection of life.connections) connection.close();
      this.#ended(life);
    });
  }

  #ended(life: Life): void {
    for (const { check } of life.members) {
      this.delivered += check.delivered;
      check.close();
    }
    this.#world.ownership.died(life.name);
    this.#world.ownership.disturbed();
    if (!this.isWanted) return;
    this.#world.simulation.schedule(RESTART_MS, null, `restart of ${this.name}`, () => {
      if (this.isWanted) this.start();
    });
  }
}

/** In the lease thread, told to the main thread. */
function opened(connection: SimConnection, simulation: Simulation, main: Domain): Promise<void> {
  return new Promise((resolve, reject) => {
    const tell = (run: () => void): void => void simulation.schedule(0.05, main, 'lease thread: open', run);
    connection.opened().then(
      () => tell(resolve),
      (error: Error) => tell(() => reject(error)),
    );
  });
}

function codeOf(error: unknown): string {
  return error instanceof MillraceError ? error.code : String(error);
}
