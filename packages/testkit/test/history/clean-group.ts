/**
 * A group that does everything right, as a source of histories without an anomaly: producers, workers and one server on
 * one clock, with requests that are executed late or answered never, handlers that throw, workers that are killed or sleep
 * while another takes over, orderly releases, and failovers that take the last operations back and are reported.
 *
 * Everything is chosen by one seed. The server here is as small as the protocol allows: epoch and nonce for the fence.
 */
import { HistoryWriter, type HistoryEvent } from '@millrace/testkit';

export interface CleanGroupOptions {
  readonly seed: number;
  readonly steps: number;
  readonly partitions: number;
  /** Failovers that take the last operations back. */
  readonly failovers: number;
}

const TOPIC = 'orders';
const GROUP = 'billing';
const CLASSES = ['memory', 'replicated'] as const;

interface Partition {
  readonly p: number;
  log: string[];
  committed: number;
  epoch: number;
  nonce: string;
  /** States before the last operations, newest last. */
  readonly past: { readonly length: number; readonly committed: number }[];
}

interface Owned {
  readonly partition: Partition;
  readonly epoch: number;
  readonly nonce: string;
  position: number;
  /** Id of the delivery under way. */
  open: number | null;
  /** Highest offset that the handler was given. */
  seen: number;
}

interface Worker {
  readonly writer: HistoryWriter;
  readonly name: string;
  readonly owned: Map<number, Owned>;
}

interface Producer {
  readonly writer: HistoryWriter;
  readonly name: string;
  /** Acknowledged offsets by partition: what a failover may have taken back. */
  readonly highest: Map<number, number>;
}

export function cleanGroup(options: CleanGroupOptions): HistoryEvent[] {
  return new CleanGroup(options).run();
}

class CleanGroup {
  readonly #events: HistoryEvent[] = [];
  readonly #options: CleanGroupOptions;
  readonly #partitions: Partition[];
  readonly #workers: Worker[];
  readonly #producers: Producer[];
  readonly #runner: HistoryWriter;
  /** Requests on their way to the server; each executes and answers, or is lost on the way back. */
  #requests: (() => void)[] = [];
  #nowMs = 0;
  #random: number;
  #names = 0;

  constructor(options: CleanGroupOptions) {
    this.#options = options;
    this.#random = options.seed >>> 0;
    this.#partitions = Array.from({ length: options.partitions }, (_, p) => ({
      p,
      log: [],
      committed: 0,
      epoch: 0,
      nonce: '',
      past: [],
    }));
    this.#workers = [1, 2, 3].map((number) => this.#startWorker(`worker-${number}`));
    this.#producers = [1, 2].map((number) => ({
      writer: this.#writer(`producer-${number}`),
      name: `producer-${number}`,
      highest: new Map(),
    }));
    this.#runner = this.#writer('runner');
  }

  run(): HistoryEvent[] {
    const { steps, failovers } = this.#options;
    const failoverSteps = new Set(Array.from({ length: failovers }, () => this.#below(steps)));
    for (let step = 0; step < steps; step++) {
      if (failoverSteps.has(step)) this.#failOver();
      this.#step();
    }
    this.#drain();
    return this.#events;
  }

  #step(): void {
    const worker = this.#pick(this.#workers);
    const roll = this.#below(100);
    if (this.#requests.length > 0 && roll < 35) this.#executeOne();
    else if (roll < 50) this.#send(this.#pick(this.#producers), this.#pick(this.#partitions));
    else if (roll < 56) this.#acquire(worker, this.#pick(this.#partitions));
    else if (roll < 80) this.#work(this.#pickOwned(worker));
    else if (roll < 90) this.#commit(worker, this.#pickOwned(worker));
    else if (roll < 92) this.#release(worker, this.#pickOwned(worker));
    else if (roll < 93) this.#kill(worker);
  }

  #send(producer: Producer, partition: Partition): void {
    const value = `value-${this.#names++}`;
    const { writer, highest } = producer;
    const acks = this.#pick(CLASSES);
    const id = writer.invoke('send', { topic: TOPIC, value, acks });
    const outcome = this.#below(20);
    this.#requests.push(() => {
      if (outcome === 0) return writer.fail('send', id, 'REFUSED');
      if (outcome === 1) return writer.unknown('send', id, 'TIMED_OUT');
      const offset = partition.log.length;
      this.#change(partition, () => partition.log.push(value));
      if (outcome === 2) return writer.unknown('send', id, 'TIMED_OUT');
      highest.set(partition.p, offset);
      return writer.ok('send', id, { p: partition.p, offset });
    });
  }

  #acquire(worker: Worker, partition: Partition): void {
    if (worker.owned.has(partition.p)) return;
    const nonce = `nonce-${this.#names++}`;
    const fields = { group: GROUP, topic: TOPIC, p: partition.p, member: worker.name, nonce };
    const id = worker.writer.invoke('acquire', { ...fields, claim: this.#names });
    const isLost = this.#below(10) === 0;
    this.#requests.push(() => {
      const epoch = Math.max(partition.epoch + 1, this.#nowMs);
      this.#change(partition, () => Object.assign(partition, { epoch, nonce }));
      if (isLost || !this.#workers.includes(worker)) {
        if (this.#workers.includes(worker)) worker.writer.unknown('acquire', id, 'TIMED_OUT');
        return;
      }
      const { committed, log } = partition;
      const state = { committed, logStart: 0, logEnd: log.length, reset: null };
      worker.writer.ok('acquire', id, { status: 'ACQUIRED', epoch, ...state });
      worker.owned.set(partition.p, { partition, epoch, nonce, position: committed, open: null, seen: -1 });
    });
  }

  #work(owned: Owned | undefined): void {
    if (owned === undefined) return;
    const worker = this.#workers.find(({ owned: held }) => held.get(owned.partition.p) === owned);
    if (worker === undefined) return;
    const { writer } = worker;
    if (owned.open === null) {
      const { p, log } = owned.partition;
      const value = log[owned.position];
      if (value === undefined) return;
      owned.seen = owned.position;
      owned.open = writer.invoke('deliver', {
        group: GROUP,
        topic: TOPIC,
        p,
        epoch: owned.epoch,
        offset: owned.position,
        value,
      });
    } else if (this.#below(20) === 0) {
      writer.fail('deliver', owned.open);
      owned.open = null;
    } else {
      writer.ok('deliver', owned.open, {});
      owned.open = null;
      owned.position++;
    }
  }

  #commit(worker: Worker, owned: Owned | undefined, isLost = this.#below(10) === 0): void {
    if (owned === undefined) return;
    const { partition, epoch, nonce, position: offset } = owned;
    const fields = { group: GROUP, topic: TOPIC, p: partition.p, epoch, nonce, offset };
    const id = worker.writer.invoke('commit', fields);
    this.#requests.push(() => {
      const isOwner = partition.epoch === epoch && partition.nonce === nonce;
      if (isOwner && offset > partition.committed)
        this.#change(partition, () => (partition.committed = offset));
      if (!this.#workers.includes(worker)) return;
      if (isLost) worker.writer.unknown('commit', id, 'TIMED_OUT');
      else if (isOwner)
        worker.writer.ok('commit', id, { status: 'COMMITTED', committed: partition.committed });
      else worker.writer.ok('commit', id, { status: 'FENCED' });
      if (!isLost && !isOwner) this.#lose(worker, owned);
    });
  }

  /** Waits for the handler and for its commit. */
  #release(worker: Worker, owned: Owned | undefined): void {
    if (owned === undefined) return;
    if (owned.open !== null) this.#work(owned);
    this.#commit(worker, owned);
    this.#executeAll();
    if (worker.owned.get(owned.partition.p) !== owned) return;
    const { partition, epoch, nonce } = owned;
    const at = { group: GROUP, topic: TOPIC, p: partition.p, epoch };
    worker.owned.delete(partition.p);
    worker.writer.fact('revoked', { ...at, reason: 'not assigned any more' });
    const id = worker.writer.invoke('release', { ...at, nonce });
    const isOwner = partition.epoch === epoch && partition.nonce === nonce;
    if (isOwner) partition.nonce = '';
    worker.writer.ok('release', id, { status: isOwner ? 'RELEASED' : 'FENCED' });
  }

  #lose(worker: Worker, owned: Owned): void {
    if (worker.owned.get(owned.partition.p) !== owned) return;
    worker.owned.delete(owned.partition.p);
    const { partition, epoch } = owned;
    worker.writer.fact('lost', { group: GROUP, topic: TOPIC, p: partition.p, epoch, reason: 'fenced' });
  }

  #kill(worker: Worker): void {
    const id = this.#runner.invoke('fault', {
      name: 'SIGKILL',
      target: worker.name,
      mayLose: null,
      survivedBy: [],
    });
    this.#workers[this.#workers.indexOf(worker)] = this.#startWorker(worker.name);
    this.#runner.ok('fault', id, {});
  }

  /** What was on its way is lost; each partition loses some of its last operations, what was replicated excepted. */
  #failOver(): void {
    const id = this.#runner.invoke('fault', {
      name: 'failover',
      target: 'redis',
      mayLose: 'tail',
      survivedBy: ['fsynced'],
    });
    this.#executeSome();
    this.#requests = [];
    for (const partition of this.#partitions) {
      const past = partition.past.at(-1 - this.#below(4));
      if (past === undefined) continue;
      partition.log = partition.log.slice(0, past.length);
      partition.committed = past.committed;
      partition.past.length = 0;
    }
    this.#runner.ok('fault', id, {});
    for (const worker of this.#workers) this.#tellWorker(worker);
    for (const { writer, highest } of this.#producers) {
      for (const { p, log } of this.#partitions) {
        const last = highest.get(p);
        if (last === undefined || last < log.length) continue;
        highest.delete(p);
        writer.fact('truncated', { side: 'producer', topic: TOPIC, p, from: last + 1, to: log.length });
      }
    }
  }

  #tellWorker(worker: Worker): void {
    for (const owned of worker.owned.values()) {
      const { p, log } = owned.partition;
      if (owned.seen >= log.length) {
        const span = { from: owned.seen + 1, to: log.length };
        worker.writer.fact('truncated', { side: 'consumer', group: GROUP, topic: TOPIC, p, ...span });
      }
      this.#lose(worker, owned);
    }
  }

  /** Everything is answered, consumed and committed; then the runner reads what there is. */
  #drain(): void {
    for (const producer of this.#producers)
      for (const partition of this.#partitions) this.#send(producer, partition);
    this.#executeAll();
    const last = this.#startWorker('worker-last');
    this.#workers.push(last);
    for (const partition of this.#partitions) {
      while (!last.owned.has(partition.p)) {
        this.#acquire(last, partition);
        this.#executeAll();
      }
      const owned = last.owned.get(partition.p)!;
      while (owned.position < partition.log.length || owned.open !== null) this.#work(owned);
      this.#commit(last, owned, false);
      this.#executeAll();
    }
    for (const { p, log, committed } of this.#partitions) {
      const records = log.map((value, offset): [number, string] => [offset, value]);
      this.#runner.fact('final-log', { topic: TOPIC, p, logStart: 0, logEnd: log.length, records });
      this.#runner.fact('final-committed', { group: GROUP, topic: TOPIC, p, committed });
    }
  }

  #change(partition: Partition, change: () => unknown): void {
    const { log, committed } = partition;
    partition.past.push({ length: log.length, committed });
    if (partition.past.length > 4) partition.past.shift();
    change();
  }

  #executeOne(): void {
    const [request] = this.#requests.splice(this.#below(this.#requests.length), 1);
    request?.();
  }

  #executeSome(): void {
    for (let count = this.#below(3); count > 0; count--) this.#executeOne();
  }

  #executeAll(): void {
    while (this.#requests.length > 0) this.#executeOne();
  }

  #startWorker(name: string): Worker {
    return { writer: this.#writer(name), name, owned: new Map() };
  }

  #writer(proc: string): HistoryWriter {
    const incarnation = `${proc}#${this.#names++}`;
    return new HistoryWriter({
      proc,
      incarnation,
      monotonicMs: () => (this.#nowMs += 1 + this.#below(3)),
      wallMs: () => 1_700_000_000_000 + this.#nowMs,
      append: (event) => this.#events.push(event),
    });
  }

  #pickOwned(worker: Worker): Owned | undefined {
    return [...worker.owned.values()][this.#below(worker.owned.size)];
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!;
  }

  /** mulberry32: small, seeded, and good enough to choose by. */
  #below(limit: number): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), this.#random | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
}
