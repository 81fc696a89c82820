/** Histories made by hand: processes that do one thing after the other on one clock, a millisecond an event. */
import { HistoryWriter, type AckClass, type HistoryEvent, type MayLose } from '@millrace/testkit';

const TOPIC = 'orders';
const GROUP = 'billing';

export class HandMade {
  readonly events: HistoryEvent[] = [];
  nowMs = 0;

  producer(proc = 'producer-1'): Producer {
    return new Producer(this.#writer(proc));
  }

  worker(proc: string): Worker {
    return new Worker(this.#writer(proc), proc);
  }

  runner(): Runner {
    return new Runner(this.#writer('runner'));
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }

  #writer(proc: string): HistoryWriter {
    const incarnation = `${proc}#${this.events.length}`;
    return new HistoryWriter({
      proc,
      incarnation,
      monotonicMs: () => ++this.nowMs,
      wallMs: () => 1_700_000_000_000 + this.nowMs,
      append: (event) => this.events.push(event),
    });
  }
}

export class Producer {
  readonly writer: HistoryWriter;

  constructor(writer: HistoryWriter) {
    this.writer = writer;
  }

  begin(value: string, { acks = 'memory', key }: { acks?: AckClass; key?: string } = {}): number {
    return this.writer.invoke('send', { topic: TOPIC, value, acks, ...(key === undefined ? {} : { key }) });
  }

  acked(id: number, offset: number, p = 0): void {
    this.writer.ok('send', id, { p, offset });
  }

  send(value: string, offset: number, acks: AckClass = 'memory'): void {
    this.acked(this.begin(value, { acks }), offset);
  }

  /** Values 'v0' ... at offsets 0 ... */
  sendAll(count: number, from = 0): void {
    for (let offset = from; offset < from + count; offset++) this.send(`v${offset}`, offset);
  }

  truncated(from: number, to: number): void {
    this.writer.fact('truncated', { side: 'producer', topic: TOPIC, p: 0, from, to });
  }
}

export interface AcquireScript {
  readonly logEnd?: number;
  readonly nonce?: string;
  readonly reset?: { readonly from: number | null };
}

export class Worker {
  readonly writer: HistoryWriter;
  readonly #member: string;

  constructor(writer: HistoryWriter, member: string) {
    this.writer = writer;
    this.#member = member;
  }

  acquire(epoch: number, committed: number, { logEnd = 100, nonce, reset }: AcquireScript = {}): Owner {
    const at = { group: GROUP, topic: TOPIC, p: 0, nonce: nonce ?? `n${epoch}-${this.#member}` };
    const id = this.writer.invoke('acquire', { ...at, member: this.#member, claim: epoch });
    const granted = { epoch, committed, logStart: 0, logEnd, reset: reset ?? null };
    this.writer.ok('acquire', id, { status: 'ACQUIRED', ...granted });
    return new Owner(this.writer, { ...at, epoch });
  }
}

export function elect(worker: Worker, member: string, leaderEpoch: number): void {
  const { writer } = worker;
  writer.ok('elect', writer.invoke('elect', { group: GROUP, member }), { leaderEpoch });
}

export function publish(worker: Worker, leaderEpoch: number, status: 'OK' | 'STALE'): void {
  const { writer } = worker;
  const id = writer.invoke('publish', { group: GROUP, leaderEpoch, generation: 1 });
  writer.ok('publish', id, { status });
}

interface Fence {
  readonly group: string;
  readonly topic: string;
  readonly p: number;
  readonly epoch: number;
  readonly nonce: string;
}

export class Owner {
  fence: Fence;
  readonly #writer: HistoryWriter;

  constructor(writer: HistoryWriter, fence: Fence) {
    this.#writer = writer;
    this.fence = fence;
  }

  begin(offset: number, value = `v${offset}`): number {
    const { group, topic, p, epoch } = this.fence;
    return this.#writer.invoke('deliver', { group, topic, p, epoch, offset, value });
  }

  finish(id: number): void {
    this.#writer.ok('deliver', id, {});
  }

  throws(id: number): void {
    this.#writer.fail('deliver', id);
  }

  deliver(offset: number, value?: string): void {
    this.finish(this.begin(offset, value));
  }

  /** `from` to `to`, the latter not included. */
  deliverAll(from: number, to: number): void {
    for (let offset = from; offset < to; offset++) this.deliver(offset);
  }

  commit(offset: number, status = 'COMMITTED'): void {
    const id = this.#writer.invoke('commit', { ...this.fence, offset });
    this.#writer.ok('commit', id, { status, ...(status === 'COMMITTED' ? { committed: offset } : {}) });
  }

  commitUnknown(offset: number): void {
    this.#writer.unknown('commit', this.#writer.invoke('commit', { ...this.fence, offset }), 'TIMED_OUT');
  }

  seek(offset: number): void {
    const nextNonce = `${this.fence.nonce}+`;
    const id = this.#writer.invoke('seek', { ...this.fence, offset, nextNonce });
    this.#writer.ok('seek', id, { status: 'SOUGHT', committed: offset });
    this.fence = { ...this.fence, nonce: nextNonce };
  }

  release(): void {
    this.#writer.ok('release', this.#writer.invoke('release', this.fence), { status: 'RELEASED' });
  }

  note(f: 'assigned' | 'revoked' | 'lost'): void {
    const { group, topic, p, epoch } = this.fence;
    this.#writer.fact(f, { group, topic, p, epoch });
  }

  deadLetter(offset: number): void {
    const { group, topic, p, epoch } = this.fence;
    this.#writer.fact('dead-letter', { group, topic, p, epoch, offset, value: `v${offset}` });
  }

  truncated(from: number, to: number): void {
    this.#writer.fact('truncated', { side: 'consumer', group: GROUP, topic: TOPIC, p: 0, from, to });
  }
}

export interface FaultScript {
  readonly target?: string;
  readonly mayLose?: MayLose;
  readonly survivedBy?: readonly AckClass[];
  readonly resumeBoundMs?: number;
}

export class Runner {
  readonly #writer: HistoryWriter;

  constructor(writer: HistoryWriter) {
    this.#writer = writer;
  }

  fault(name: string, { mayLose = null, survivedBy = [], ...rest }: FaultScript = {}): number {
    return this.#writer.invoke('fault', { name, mayLose, survivedBy, ...rest });
  }

  healed(id: number): void {
    this.#writer.ok('fault', id, {});
  }

  /** `values[0]` stands at `logStart`. */
  log(values: readonly string[], fields: { logStart?: number; logEnd?: number; p?: number } = {}): void {
    const { logStart = 0, p = 0 } = fields;
    const records = values.map((value, index): [number, string] => [logStart + index, value]);
    const logEnd = fields.logEnd ?? logStart + values.length;
    this.#writer.fact('final-log', { topic: TOPIC, p, logStart, logEnd, records });
  }

  /** The log that `sendAll(count)` makes. */
  fullLog(count: number): void {
    this.log(Array.from({ length: count }, (_, offset) => `v${offset}`));
  }

  damagedLog(fields: { maxDeleted?: string; entries?: number; entriesAdded?: number }): void {
    const records: [number, string][] = [[0, 'v0']];
    this.#writer.fact('final-log', { topic: TOPIC, p: 0, logStart: 0, logEnd: 1, records, ...fields });
  }

  logWithHole(): void {
    const records: [number, string][] = [
      [0, 'v0'],
      [2, 'v2'],
    ];
    this.#writer.fact('final-log', { topic: TOPIC, p: 0, logStart: 0, logEnd: 3, records });
  }

  committed(committed: number): void {
    this.#writer.fact('final-committed', { group: GROUP, topic: TOPIC, p: 0, committed });
  }
}
