/**
 * Sends at an even pace and measures across processes. The clock is the machine's monotonic one, which all of its
 * processes share; a record carries the time at which it was given to the client.
 */

export type Stamp = (value: Buffer) => void;

/**
 * Timers fire late, never early: what has become due meanwhile is sent in one turn, on every side alike. Resolves when
 * everything is answered. Answers are counted and not kept: a service does not keep them, and thousands of promises that
 * survive are what the pauses of the collector would be made of.
 */
export async function pace(
  records: number,
  perSecond: number,
  send: (index: number, stamp: Stamp) => Promise<unknown>,
): Promise<void> {
  const stamp: Stamp = (value) => void value.writeBigUInt64LE(process.hrtime.bigint());
  const all = Promise.withResolvers<void>();
  // Rejected while it is not waited for yet.
  all.promise.catch(() => {});
  let answers = 0;
  const onAnswer = (): void => {
    if (++answers === records) all.resolve();
  };
  const startedMs = performance.now();
  for (let index = 0; index < records;) {
    const due = Math.min(records, Math.floor(((performance.now() - startedMs) / 1_000) * perSecond) + 1);
    while (index < due) send(index++, stamp).then(onAnswer, all.reject);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await all.promise;
}

export interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Collects until as many records have come as were announced. */
export class LatencyCollector {
  readonly #expected: number;
  readonly #ms: number[] = [];
  readonly #complete = Promise.withResolvers<Latencies>();

  constructor(expected: number) {
    this.#expected = expected;
  }

  get complete(): Promise<Latencies> {
    return this.#complete.promise;
  }

  add(value: Buffer): void {
    this.#ms.push(Number(process.hrtime.bigint() - value.readBigUInt64LE()) / 1e6);
    if (this.#ms.length !== this.#expected) return;
    const sorted = this.#ms.toSorted((a, b) => a - b);
    this.#complete.resolve({ p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) });
  }
}

/** Nearest rank. `sorted` rises. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
