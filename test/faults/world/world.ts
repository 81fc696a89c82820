/**
 * One world: the servers of a topology, four workers, two producers. Rows are run in it one after the other. Each has a
 * topic and a directory of histories of its own, so that it is judged by itself.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, MillraceError, type Millrace } from 'millrace';
import { eventually, openHistory, type HistoryWriter } from '@millrace/testkit';
import type { Fault, TopologyName } from '../fault.ts';
import { PARTITIONS, PRODUCERS, WORKERS } from '../load.ts';
import { SeededRandom } from '../seeded-random.ts';
import { judge } from '../verdict/judge.ts';
import { isClean, type Verdict } from '../verdict/verdict.ts';
import { ProducerProcess, restoreFleet, untilOwned, WorkerProcess, type Fleet, type Row } from './fleet.ts';
import { Observer } from './observer.ts';
import type { Servers } from './servers.ts';
import { Stage, type RowFinding } from './stage.ts';
import { startServers } from './start-servers.ts';

export interface WorldSettings {
  readonly topology: TopologyName;
  readonly seed: number;
  readonly mutant: string | null;
  /** Histories go below it. */
  readonly directory: string;
  /** Clean histories stay as well. */
  readonly keep: boolean;
}

const PREFIX = 'faults';
/** Load before a fault begins, and after it has ended. */
const WARM_UP_MS = 500;
const AFTERMATH_MS = 500;

export class World implements AsyncDisposable {
  readonly #settings: WorldSettings;
  readonly #servers: Servers;
  readonly #observer: Observer;
  readonly #millrace: Millrace;
  readonly #fleet: Fleet;
  #rows = 0;

  static async start(settings: WorldSettings): Promise<World> {
    await using starting = new AsyncDisposableStack();
    const servers = starting.use(await startServers(settings.topology));
    const observer = starting.use(await Observer.open(servers.direct, PREFIX));
    const millrace = starting.use(
      await connect({ ...servers.connectDirectly, prefix: PREFIX, logger: false }),
    );
    const fleet = starting.use(await startFleet(servers, settings));
    starting.move();
    return new World(settings, servers, observer, millrace, fleet);
  }

  private constructor(
    settings: WorldSettings,
    servers: Servers,
    observer: Observer,
    millrace: Millrace,
    fleet: Fleet,
  ) {
    this.#settings = settings;
    this.#servers = servers;
    this.#observer = observer;
    this.#millrace = millrace;
    this.#fleet = fleet;
  }

  async run(fault: Fault): Promise<Verdict> {
    const { seed, topology, directory } = this.#settings;
    const startedMs = performance.now();
    const number = ++this.#rows;
    const topic = `row-${number}`;
    const row: Row = { topic, directory: join(directory, `${topic}-${fault.name}`) };
    await mkdir(row.directory, { recursive: true });
    this.#observer.begin();
    const runner = openHistory({ directory: row.directory, proc: 'runner' });

    const findings: RowFinding[] = [];
    const random = SeededRandom.of(`${seed} ${fault.name}`);
    const stage = new Stage({
      fault,
      topology,
      topic,
      random,
      fleet: this.#fleet,
      servers: this.#servers,
      observer: this.#observer,
      writer: runner.writer,
      findings,
    });
    if (await attempt(stage, () => this.#begin(row))) await this.#strike(fault, stage);
    await this.#settle(topic, runner.writer, stage);
    runner.close();
    const verdict = judge({
      fault,
      topology,
      seed,
      topic,
      excluded: this.#observer.excluded,
      directory: row.directory,
      startedMs,
      findings,
    });
    if (findings.length === 0) await insist(() => this.#millrace.admin.deleteTopic(topic));
    if (isClean(verdict) && !this.#settings.keep) await rm(row.directory, { recursive: true });
    return verdict;
  }

  /** Everybody owns their share of the row's topic, and gets records of it. */
  async #begin(row: Row): Promise<void> {
    const { workers, producers } = this.#fleet;
    await Promise.all(workers.map((worker) => worker.begin(row)));
    // Only now, so that everything that concerns the topic is in the row's history.
    await this.#createTopic(row.topic);
    try {
      await untilOwned(this.#fleet, row.topic, PARTITIONS);
    } catch (error) {
      // A Sentinel that got no processor time may fail over between two rows, and take the creation back.
      if (await this.#hasTopic(row.topic)) throw error;
      await this.#createTopic(row.topic);
      await untilOwned(this.#fleet, row.topic, PARTITIONS);
    }
    await Promise.all(producers.map((producer) => producer.begin(row)));
  }

  #createTopic(topic: string): Promise<unknown> {
    return insist(() => this.#millrace.admin.createTopic(topic, { partitions: PARTITIONS }));
  }

  async #hasTopic(topic: string): Promise<boolean> {
    return (await this.#millrace.admin.listTopics()).some(({ name }) => name === topic);
  }

  /** Runs the fault, waits for the recovery, and ends the load. */
  async #strike(fault: Fault, stage: Stage): Promise<void> {
    await stage.load(WARM_UP_MS);
    await attempt(stage, () => fault.run(stage));
    await Promise.all([
      attempt(stage, () => restoreFleet(this.#fleet)),
      attempt(stage, () => stage.untilResumed()),
    ]);
    await stage.load(AFTERMATH_MS);
    await attempt(stage, () => Promise.all(this.#fleet.producers.map((producer) => producer.stop())));
    await attempt(stage, () => stage.untilResumed());
  }

  async #settle(topic: string, writer: HistoryWriter, stage: Stage): Promise<void> {
    await attempt(stage, () => this.#observer.writeFinalState(topic, writer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fleet[Symbol.asyncDispose]();
    await this.#millrace.close();
    await this.#observer[Symbol.asyncDispose]();
    await this.#servers[Symbol.asyncDispose]();
  }
}

/** False when it has failed, which is then among the findings of the row. */
async function attempt(stage: Stage, step: () => Promise<unknown>): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    // The name is that of what does not end; the checker can only judge what has.
    stage.report('not-converged', error instanceof Error ? error.message : String(error));
    return false;
  }
}

/** Right after a fault Redis may refuse once more; repeating is safe, and a topic may be gone by then. */
async function insist(change: () => Promise<void>): Promise<void> {
  await eventually(async () => {
    try {
      await change();
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'UNKNOWN_TOPIC') throw error;
    }
    return true;
  });
}

async function startFleet(servers: Servers, { mutant, directory }: WorldSettings): Promise<Fleet> {
  const settings = (proc: string) => ({
    connect: { ...servers.connectAs(proc), prefix: PREFIX, logger: false } as const,
    directory,
    mutant,
  });
  const workers = Array.from({ length: WORKERS }, (_, index) => {
    const proc = `worker-${index + 1}`;
    // The first half is dynamic, the other half static.
    return new WorkerProcess(proc, settings(proc), index < WORKERS / 2 ? null : `pod-${index + 1}`);
  });
  const producers = Array.from({ length: PRODUCERS }, (_, index) => {
    const proc = `producer-${index + 1}`;
    const acks = index > 0 && servers.replicas > 0 ? 'replicated' : 'memory';
    return new ProducerProcess(proc, settings(proc), acks, servers.replicas);
  });
  const stop = async (): Promise<void> => {
    await Promise.all([...workers, ...producers].map((member) => member.kill()));
  };
  const fleet = { workers, producers, [Symbol.asyncDispose]: stop };
  try {
    await Promise.all([...workers, ...producers].map((member) => member.start()));
    return fleet;
  } catch (error) {
    await stop();
    throw error;
  }
}
