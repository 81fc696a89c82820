/**
 * Which records of a call go to which partition, so that those of one partition are put into its batch one after the
 * other. Of records that name 1,024 partitions in turn, each would otherwise meet a batch, an encoder and a buffer that
 * a thousand others have driven out of the processor's cache.
 *
 * Chains in arrays that are used again: nothing is allocated, neither for a record nor for a group.
 */

/** In the place of a record: there is none. */
export const NONE = -1;
/** Enough for company in a thousand partitions, and little to hold. */
export const MAX_GROUPED = 8_192;

export class PartitionGroups {
  /** By partition: the first and the last of its records. */
  #first = new Int32Array(0);
  #last = new Int32Array(0);
  /** By record: the next one of its partition. */
  readonly #next = new Int32Array(MAX_GROUPED);
  /** In the order in which they came. */
  readonly #partitions = new Int32Array(MAX_GROUPED);
  #count = 0;
  #length = 0;
  #isInUse = false;

  /** False while a call is at it: its partitioner sends something itself. Otherwise it is empty, until `end`. */
  begin(): boolean {
    if (this.#isInUse) return false;
    return (this.#isInUse = true);
  }

  end(): void {
    for (let group = 0; group < this.#count; group++) this.#first[this.partitionOf(group)] = NONE;
    this.#count = this.#length = 0;
    this.#isInUse = false;
  }

  /** The partition of the next record, of which there may be `MAX_GROUPED`. */
  add(partition: number): void {
    if (partition >= this.#first.length) this.#grow(partition + 1);
    const record = this.#length++;
    this.#next[record] = NONE;
    if (this.#first[partition] === NONE) {
      this.#first[partition] = record;
      this.#partitions[this.#count++] = partition;
    } else {
      this.#next[this.#last[partition] ?? NONE] = record;
    }
    this.#last[partition] = record;
  }

  /** Records so far. */
  get length(): number {
    return this.#length;
  }

  /** Partitions so far. */
  get count(): number {
    return this.#count;
  }

  partitionOf(group: number): number {
    return this.#partitions[group] ?? NONE;
  }

  firstOf(partition: number): number {
    return this.#first[partition] ?? NONE;
  }

  /** Of the same partition. */
  after(record: number): number {
    return this.#next[record] ?? NONE;
  }

  #grow(partitions: number): void {
    const [first, last] = [this.#first, this.#last];
    this.#first = new Int32Array(Math.max(partitions, 2 * first.length)).fill(NONE);
    this.#last = new Int32Array(this.#first.length);
    this.#first.set(first);
    this.#last.set(last);
  }
}
