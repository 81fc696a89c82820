/**
 * Memory of this process while it consumes, part by part of the records. Which objects are alive is told by the heap after
 * a full collection (buffers lie outside of it: the resident set is what has a bound for them). Without one, the heap also
 * holds what has become garbage since the last, which V8 puts off for as long as it likes: the lowest points of each million
 * went up and down by half over thirty million records.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** `heap`: a full collection ends each part. `resident`: nothing is done that would not happen anyway. */
export type Watched = 'heap' | 'resident';

export interface MemoryReport {
  /** Of `heap`: what is in use after each part, MiB. Of `resident`: the highest resident set meanwhile. */
  readonly partsMiB: readonly number[];
  /** As `peakRssMiB` says at the end. */
  readonly peakRssMiB: number;
}

const MIB = 2 ** 20;
/** Looks in each part: often enough to meet the high points, seldom enough to cost nothing. */
const LOOKS = 100;

export class MemoryWatch {
  readonly #watched: Watched;
  readonly #records: number;
  readonly #parts: number[];
  readonly #looksInPart: number;
  #looks = 0;

  constructor(watched: Watched, records: number, parts: number) {
    this.#watched = watched;
    this.#records = records;
    this.#parts = Array.from({ length: parts }, () => 0);
    this.#looksInPart = watched === 'heap' ? 1 : LOOKS;
  }

  /** `done`: records so far. */
  look(done: number): void {
    const allLooks = this.#looksInPart * this.#parts.length;
    const isDue = (): boolean =>
      this.#looks < allLooks && (this.#looks + 1) * this.#records <= done * allLooks;
    if (!isDue()) return;
    if (this.#watched === 'heap') collectFully();
    const { heapUsed, rss } = process.memoryUsage();
    const mib = (this.#watched === 'heap' ? heapUsed : rss) / MIB;
    // A batch may end more than one part.
    for (; isDue(); this.#looks++) {
      const part = Math.floor(this.#looks / this.#looksInPart);
      this.#parts[part] = Math.max(this.#parts[part] ?? 0, mib);
    }
  }

  report(): MemoryReport {
    return { partsMiB: this.#parts, peakRssMiB: peakRssMiB() };
  }
}

/** Highest resident set since the process began, by the kernel. */
export function peakRssMiB(): number {
  return process.resourceUsage().maxRSS / 1_024;
}

let collect: (() => void) | undefined;

/** The flag can be set while the process runs, and is seen by the next context only. */
function collectFully(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
