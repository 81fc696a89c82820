/**
 * Virtual time: one heap of events, in the order in which they are due, and nothing else that ever runs. Whatever the
 * code under test waits for is an event here, so one seed gives one course of the world.
 */

/** What runs as one thread: stands still together, dies together. */
export class Domain {
  readonly name: string;
  isDead = false;
  /** Events of before are late until then. */
  stalledUntilMs = 0;
  /** Since when it has run nothing although it had to: null when it runs. */
  idleSinceMs: number | null = null;

  constructor(name: string) {
    this.name = name;
  }

  stall(nowMs: number, untilMs: number): void {
    if (nowMs >= this.stalledUntilMs) this.idleSinceMs ??= nowMs;
    this.stalledUntilMs = Math.max(this.stalledUntilMs, untilMs);
  }
}

export interface ScheduledEvent {
  readonly cancel: () => void;
}

interface Entry {
  atMs: number;
  order: number;
  isCancelled: boolean;
  readonly domain: Domain | null;
  readonly what: string;
  readonly run: () => void;
}

export interface Violation {
  /** `I1` to `I8`, or what else must never happen. */
  readonly invariant: string;
  readonly what: string;
}

interface TraceLine {
  readonly atMs: number;
  readonly event: number;
  readonly what: string;
}

/** Name of the events that the code under test has asked for itself. */
export const TIMER = 'timer';

const KEPT_TRACE_LINES = 60;

export class Simulation {
  nowMs = 0;
  /** Events that have run. */
  events = 0;
  /** Told of every event before it runs. */
  onEvent: ((event: number, atMs: number, where: string, what: string) => void) | null = null;
  failure: (Violation & { readonly event: number; readonly atMs: number }) | null = null;
  readonly #heap: Entry[] = [];
  #order = 0;
  #hash = 2_166_136_261;
  readonly #trace: TraceLine[] = [];
  #traceNext = 0;

  /** `domain` null: the world outside of the code under test (servers, networks, faults). */
  schedule(delayMs: number, domain: Domain | null, what: string, run: () => void): ScheduledEvent {
    const entry: Entry = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.#order++,
      isCancelled: false,
      domain,
      what,
      run,
    };
    this.#push(entry);
    return {
      cancel: () => {
        entry.isCancelled = true;
      },
    };
  }

  /** The first violation is the one that is told. */
  fail(invariant: string, what: string): void {
    this.failure ??= { invariant, what, event: this.events, atMs: this.nowMs };
  }

  /** For whoever reads the trace of a failing seed. Also part of its hash: what is noted must replay. */
  note(what: string): void {
    this.#mix(what);
    const line = { atMs: this.nowMs, event: this.events, what };
    if (this.#trace.length < KEPT_TRACE_LINES) this.#trace.push(line);
    else this.#trace[this.#traceNext++ % KEPT_TRACE_LINES] = line;
  }

  get trace(): readonly string[] {
    const first = this.#traceNext % KEPT_TRACE_LINES;
    return [...this.#trace.slice(first), ...this.#trace.slice(0, first)].map(
      ({ atMs, event, what }) => `${String(event).padStart(6)} ${atMs.toFixed(1).padStart(10)} ms  ${what}`,
    );
  }

  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** Runs the next event. False when there is none. */
  async step(): Promise<boolean> {
    for (let entry = this.#pop(); entry !== undefined; entry = this.#pop()) {
      const { domain } = entry;
      if (entry.isCancelled) continue;
      if (domain?.isDead === true) continue;
      if (domain !== null && domain.stalledUntilMs > entry.atMs) {
        entry.atMs = domain.stalledUntilMs;
        // Again behind what was due before it.
        entry.order = this.#order++;
        this.#push(entry);
        continue;
      }
      this.nowMs = entry.atMs;
      this.events++;
      entry.isCancelled = true;
      this.#mix(entry.what);
      this.onEvent?.(this.events, this.nowMs, domain?.name ?? '', entry.what);
      if (domain === null) {
        entry.run();
        return true;
      }
      domain.idleSinceMs = null;
      entry.run();
      await settle();
      return true;
    }
    return false;
  }

  /** Timers that a domain has not cancelled: in how many milliseconds each is due. */
  timersOf(domain: Domain): number[] {
    return this.#heap
      .filter((entry) => entry.domain === domain && entry.what === TIMER && !entry.isCancelled)
      .map((entry) => Math.round(entry.atMs - this.nowMs));
  }

  #mix(text: string): void {
    let hash = this.#hash ^ ((this.nowMs * 1_000) | 0);
    for (let index = 0; index < text.length; index++)
      hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619);
    this.#hash = hash;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** One turn of the real event loop: every promise that can settle without an event has settled by then. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
