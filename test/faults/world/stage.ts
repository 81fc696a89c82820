/** What a fault gets to work with: the world it is to break, and the history that says when. */
import type { HistoryWriter } from '@millrace/testkit';
import { GROUPS, PARTITIONS, type Group } from '../load.ts';
import type { Fault, TopologyName } from '../fault.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { leaderOf, untilOwned, type Fleet, type ProducerProcess, type WorkerProcess } from './fleet.ts';
import type { Observer } from './observer.ts';
import { pause } from './pause.ts';
import type { Servers } from './servers.ts';

/** What a row finds itself, besides what the checker finds. */
export interface RowFinding {
  /** Of the anomaly. */
  readonly name: string;
  readonly what: string;
}

export interface StageParts {
  readonly fault: Fault;
  readonly topology: TopologyName;
  readonly topic: string;
  readonly random: SeededRandom;
  readonly fleet: Fleet;
  readonly servers: Servers;
  readonly observer: Observer;
  readonly writer: HistoryWriter;
  readonly findings: RowFinding[];
  /** Instead of the fault's own, where several go on at once. */
  readonly resumeBoundMs?: number;
}

export class Stage {
  readonly topology: TopologyName;
  readonly topic: string;
  readonly random: SeededRandom;
  readonly servers: Servers;
  readonly observer: Observer;
  readonly fleet: Fleet;
  readonly #parts: StageParts;

  constructor(parts: StageParts) {
    this.#parts = parts;
    this.topology = parts.topology;
    this.topic = parts.topic;
    this.random = parts.random;
    this.servers = parts.servers;
    this.observer = parts.observer;
    this.fleet = parts.fleet;
  }

  /** The same world for another fault. */
  forFault(fault: Fault, resumeBoundMs: number): Stage {
    return new Stage({ ...this.#parts, fault, resumeBoundMs });
  }

  /** Other faults may be at work as well, and keep this one from having anything to hit. */
  get isShared(): boolean {
    return this.#parts.resumeBoundMs !== undefined;
  }

  get workers(): readonly WorkerProcess[] {
    return this.fleet.workers;
  }

  get producers(): readonly ProducerProcess[] {
    return this.fleet.producers;
  }

  /** A member that comes back under another id. */
  dynamicWorker(): WorkerProcess {
    return this.random.pick(this.workers.filter(({ instanceId }) => instanceId === null));
  }

  anyWorker(): WorkerProcess {
    return this.random.pick(this.workers);
  }

  /** The key that holds the log of one of the topic's partitions. */
  anyLogKey(): string {
    return this.observer.logKey(this.topic, this.random.between(0, PARTITIONS - 1));
  }

  leader(group: Group = this.random.pick(GROUPS)): Promise<WorkerProcess> {
    return leaderOf(this.fleet, group);
  }

  /** The history says that the fault is on while `during` runs. `target` is the process that it hits. */
  async inject<T>(target: string | null, during: () => Promise<T>): Promise<T> {
    const { fault, writer, topology, resumeBoundMs } = this.#parts;
    const id = writer.invoke('fault', {
      name: fault.name,
      ...(target === null ? {} : { target }),
      ...fault.losses(topology),
      resumeBoundMs: resumeBoundMs ?? fault.resumeBoundMs,
    });
    try {
      return await during();
    } finally {
      writer.ok('fault', id, {});
    }
  }

  report(name: string, what: string): void {
    this.#parts.findings.push({ name, what });
  }

  /** The load goes on for so long. */
  async load(ms: number): Promise<void> {
    await pause(ms);
  }

  untilOwned(): Promise<void> {
    return untilOwned(this.fleet, this.topic, PARTITIONS);
  }

  /** Every partition has committed all that its log held when this was called. */
  async untilResumed(timeoutMs?: number): Promise<void> {
    await this.observer.untilCommitted(this.topic, timeoutMs);
  }
}
