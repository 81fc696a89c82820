/**
 * Memory of this process while it consumes. The heap in use goes up and down with the garbage collector, so each part of
 * the records is told by its lowest point, which is what was really needed; memory that leaks raises it.
 */

export interface MemoryReport {
  /** Lowest heap in use while a part of the records was consumed, MiB, part by part. */
  readonly heapMiB: readonly number[];
  /** Highest resident set of the same. */
  readonly rssMiB: readonly number[];
  /** Highest resident set since the process began, by the kernel. */
  readonly peakRssMiB: number;
}

const MIB = 2 ** 20;
/** Looks in each part: often enough to meet the low points, seldom enough to cost nothing. */
const LOOKS = 100;

export class MemoryWatch {
  readonly #records: number;
  readonly #heap: number[];
  readonly #rss: number[];
  #next = 0;

  constructor(records: number, windows: number) {
    this.#records = records;
    this.#heap = Array.from({ length: windows }, () => Infinity);
    this.#rss = Array.from({ length: windows }, () => 0);
  }

  /** `done`: records so far. */
  look(done: number): void {
    if (done < this.#next) return;
    this.#next = done + this.#records / this.#heap.length / LOOKS;
    const windows = this.#heap.length;
    const window = Math.min(windows - 1, Math.floor((done / this.#records) * windows));
    const { heapUsed, rss } = process.memoryUsage();
    this.#heap[window] = Math.min(this.#heap[window] ?? Infinity, heapUsed / MIB);
    this.#rss[window] = Math.max(this.#rss[window] ?? 0, rss / MIB);
  }

  report(): MemoryReport {
    return {
      heapMiB: this.#heap,
      rssMiB: this.#rss,
      peakRssMiB: process.resourceUsage().maxRSS / 1_024,
    };
  }
}
