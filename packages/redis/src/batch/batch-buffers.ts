/**
 * Buffers for batches, given back once their bytes are needed no more. A buffer of 224 KiB from the system costs as much
 * as a hundred records in pages that are touched for the first time, and the garbage collector runs early for the sake
 * of many of them.
 */

/** Smaller ones come from Node's own pool, cheaply. */
const LEAST_BYTES = 8_192;

export class BatchBuffers {
  /** By size: powers of two, so that what one partition gives back fits another. */
  readonly #kept = new Map<number, ArrayBuffer[]>();
  readonly #maxKeptBytes: number;
  #keptBytes = 0;
  /** Handed out here and not back yet: nothing else is ever taken back, and nothing twice. */
  readonly #lent = new WeakSet<ArrayBufferLike>();

  /** What is given back beyond `maxKeptBytes` is left to the garbage collector. */
  constructor(maxKeptBytes: number) {
    this.#maxKeptBytes = maxKeptBytes;
  }

  /** At least so many bytes, of any content. */
  take(bytes: number): Buffer {
    if (bytes < LEAST_BYTES) return Buffer.allocUnsafe(bytes);
    const size = 2 ** Math.ceil(Math.log2(bytes));
    const kept = this.#kept.get(size) ?? [];
    // Asked for last, it comes last.
    this.#kept.delete(size);
    this.#kept.set(size, kept);
    const memory = kept.pop();
    if (memory === undefined) {
      const fresh = Buffer.allocUnsafeSlow(size);
      this.#lent.add(fresh.buffer);
      return fresh;
    }
    this.#keptBytes -= size;
    this.#lent.add(memory);
    return Buffer.from(memory);
  }

  /** `buffer` lies in what was taken, which nobody reads or writes any more. Of another origin: nothing happens. */
  give({ buffer: memory }: Buffer): void {
    if (!this.#lent.delete(memory) || !(memory instanceof ArrayBuffer)) return;
    const size = memory.byteLength;
    if (!this.#makeRoom(size)) return;
    this.#keptBytes += size;
    this.#kept.get(size)?.push(memory);
  }

  /** Sizes that nobody asks for any more would otherwise be all that is kept. */
  #makeRoom(size: number): boolean {
    for (const [other, kept] of this.#kept) {
      if (other === size) break;
      while (kept.length > 0 && this.#keptBytes + size > this.#maxKeptBytes) {
        kept.pop();
        this.#keptBytes -= other;
      }
    }
    return this.#keptBytes + size <= this.#maxKeptBytes;
  }
}
