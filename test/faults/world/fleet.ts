/** The processes of a world: who they are, how they are started again after a fault has ended them. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, startProcess, type AckClass, type StartedProcess } from '@millrace/testkit';
import type { ConnectOptions } from 'millrace';
import { GROUPS, type Group } from '../load.ts';
import type {
  FromProducer,
  FromWorker,
  Membership,
  ProducerSettings,
  ToProducer,
  ToWorker,
  WorkerSettings,
} from '../processes/messages.ts';

/** For a process that starts, or a member that joins, while everything else works as well. */
const START_TIMEOUT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 20_000;

export interface Row {
  readonly topic: string;
  readonly directory: string;
}

interface FleetSettings {
  readonly connect: ConnectOptions;
  readonly directory: string;
  /** Makes the processes run with this mutant of the product. */
  readonly mutant: string | null;
}

const CLOCK = new URL('../processes/shifted-clock.ts', import.meta.url).href;
const MUTANTS = new URL('../../mutants/register.ts', import.meta.url).href;

function launch<Received, Sent>(
  module: string,
  settings: WorkerSettings | ProducerSettings,
  mutant: string | null,
): Promise<StartedProcess<Received, Sent>> {
  return startProcess<Received, Sent>({
    module: new URL(`../processes/${module}.ts`, import.meta.url),
    args: [JSON.stringify(settings)],
    execArgv: ['--import', CLOCK, ...(mutant === null ? [] : ['--import', MUTANTS])],
    env:
      mutant === null
        ? { NODE_COMPILE_CACHE: join(tmpdir(), 'millrace-faults-compiled') }
        : { MILLRACE_MUTANT: mutant },
  });
}

abstract class FleetMember<Received, Sent> {
  readonly proc: string;
  protected readonly settings: FleetSettings;
  protected row: Row | null = null;
  #process: StartedProcess<Received, Sent> | null = null;

  constructor(proc: string, settings: FleetSettings) {
    this.proc = proc;
    this.settings = settings;
  }

  protected abstract open(): Promise<StartedProcess<Received, Sent>>;

  get process(): StartedProcess<Received, Sent> {
    if (this.#process === null) throw new Error(`${this.proc} does not run`);
    return this.#process;
  }

  get isRunning(): boolean {
    return this.#process !== null;
  }

  async start(): Promise<void> {
    this.#process = await this.open();
  }

  /** Resolves when it has ended by itself, in order. */
  async terminate(): Promise<void> {
    const ending = this.process;
    await ending.signal('SIGTERM');
    const exit = await ending.exited;
    this.#process = null;
    if (exit.code !== 0)
      throw new Error(`${this.proc} ended with ${JSON.stringify(exit)}\n${ending.output()}`);
  }

  async kill(): Promise<void> {
    await this.#process?.stop();
    this.#process = null;
  }

  /** Where it writes its first history after a start: that of the row under way, when there is one. */
  protected get directory(): string {
    return this.row?.directory ?? join(this.settings.directory, 'start');
  }
}

export class WorkerProcess extends FleetMember<FromWorker, ToWorker> {
  readonly instanceId: string | null;

  constructor(proc: string, settings: FleetSettings, instanceId: string | null) {
    super(proc, settings);
    this.instanceId = instanceId;
  }

  protected async open(): Promise<StartedProcess<FromWorker, ToWorker>> {
    const { proc, instanceId, directory } = this;
    const { connect, mutant } = this.settings;
    const worker = await launch<FromWorker, ToWorker>(
      'worker',
      { proc, instanceId, directory, connect: { ...connect, name: proc } },
      mutant,
    );
    await worker.waitFor(({ type }) => type === 'joined', { timeoutMs: START_TIMEOUT_MS });
    return worker;
  }

  async begin(row: Row): Promise<void> {
    this.row = row;
    await this.process.send({ type: 'row', ...row });
    await this.process.waitFor((message) => message.type === 'row' && message.topic === row.topic, {
      timeoutMs: ANSWER_TIMEOUT_MS,
    });
  }

  /** What it believes. Not while it cannot answer. */
  async ask(): Promise<Readonly<Record<string, Membership>>> {
    const from = this.process.messages.length;
    await this.process.send({ type: 'ask' });
    const answer = await this.process.waitFor((message) => message.type === 'state', {
      from,
      timeoutMs: ANSWER_TIMEOUT_MS,
    });
    return answer.type === 'state' ? answer.groups : {};
  }
}

export class ProducerProcess extends FleetMember<FromProducer, ToProducer> {
  readonly #acks: AckClass;
  readonly #replicas: number;

  constructor(proc: string, settings: FleetSettings, acks: AckClass, replicas: number) {
    super(proc, settings);
    this.#acks = acks;
    this.#replicas = replicas;
  }

  protected async open(): Promise<StartedProcess<FromProducer, ToProducer>> {
    const { proc, directory } = this;
    const { connect, mutant } = this.settings;
    const producer = await launch<FromProducer, ToProducer>(
      'producer',
      { proc, acks: this.#acks, replicas: this.#replicas, directory, connect: { ...connect, name: proc } },
      mutant,
    );
    await producer.waitFor(({ type }) => type === 'ready', { timeoutMs: START_TIMEOUT_MS });
    if (this.row !== null) await producer.send({ type: 'row', ...this.row });
    return producer;
  }

  async begin(row: Row): Promise<void> {
    this.row = row;
    await this.process.send({ type: 'row', ...row });
  }

  /** Resolves when every record that it has sent is settled. */
  async stop(): Promise<void> {
    this.row = null;
    const from = this.process.messages.length;
    await this.process.send({ type: 'stop' });
    await this.process.waitFor(({ type }) => type === 'stopped', { from, timeoutMs: 2 * START_TIMEOUT_MS });
  }
}

export interface Fleet extends AsyncDisposable {
  readonly workers: readonly WorkerProcess[];
  readonly producers: readonly ProducerProcess[];
}

/** Starts whoever does not run. */
export async function restoreFleet({ workers, producers }: Fleet): Promise<void> {
  const missing = [...workers, ...producers].filter(({ isRunning }) => !isRunning);
  await Promise.all(missing.map((member) => member.start()));
}

/** Owner of each partition of the topic, by `topic/partition`, as the running workers see it. */
export async function ownersOf(fleet: Fleet, group: Group, topic: string): Promise<Map<string, string>> {
  const owners = new Map<string, string>();
  for (const worker of fleet.workers) {
    if (!worker.isRunning) continue;
    const { [group]: membership } = await worker.ask();
    for (const key of membership?.partitions ?? [])
      if (key.startsWith(`${topic}/`)) owners.set(key, worker.proc);
  }
  return owners;
}

/** The worker that leads the group. */
export async function leaderOf(fleet: Fleet, group: Group): Promise<WorkerProcess> {
  return eventually(
    async () => {
      for (const worker of fleet.workers)
        if (worker.isRunning && (await worker.ask())[group]?.isLeader === true) return worker;
      return null;
    },
    { timeoutMs: START_TIMEOUT_MS, intervalMs: 100, what: `a leader of group ${group}` },
  );
}

/** Every partition of the topic has an owner in each group. */
export async function untilOwned(fleet: Fleet, topic: string, partitions: number): Promise<void> {
  for (const group of GROUPS) {
    await eventually(async () => (await ownersOf(fleet, group, topic)).size === partitions, {
      timeoutMs: START_TIMEOUT_MS,
      intervalMs: 100,
      what: `an owner of every partition of ${topic} in group ${group}`,
    });
  }
}

/** The same, and shared out evenly: nothing of the hand-over to a member that came is still under way. */
export async function untilBalanced(fleet: Fleet, topic: string, partitions: number): Promise<void> {
  for (const group of GROUPS) {
    await eventually(
      async () => {
        const owners = await ownersOf(fleet, group, topic);
        const shares = Map.groupBy(owners.values(), (owner) => owner);
        const counts = [...shares.values()].map(({ length }) => length);
        return (
          owners.size === partitions &&
          shares.size === fleet.workers.filter(({ isRunning }) => isRunning).length &&
          Math.max(...counts) - Math.min(...counts) <= 1
        );
      },
      {
        timeoutMs: START_TIMEOUT_MS,
        intervalMs: 100,
        what: `an even share of ${topic} in group ${group} for every worker`,
      },
    );
  }
}
