/** Keys by the time at which they are due: a binary heap, so that a leader of 100,000 partitions pays for one at a time. */
export class DueQueue<K> {
  readonly #heap: { readonly dueMs: number; readonly key: K }[] = [];
  /** What counts; an entry of the heap that says something else is left over. */
  readonly #due = new Map<K, number>();

  /** Infinity when nothing waits. */
  get nextMs(): number {
    this.#dropLeftOvers();
    return this.#heap[0]?.dueMs ?? Infinity;
  }

  /** In the place of an earlier time for that key, if there is one. */
  set(key: K, dueMs: number): void {
    this.#due.set(key, dueMs);
    this.#heap.push({ dueMs, key });
    let at = this.#heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent) <= this.#at(at)) break;
      this.#swap(parent, at);
      at = parent;
    }
  }

  delete(key: K): void {
    this.#due.delete(key);
  }

  /** Takes the one that is due first, if it is due. */
  take(nowMs: number): K | undefined {
    if (this.nextMs > nowMs) return undefined;
    const first = this.#removeFirst();
    if (first !== undefined) this.#due.delete(first.key);
    return first?.key;
  }

  #dropLeftOvers(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#due.get(first.key) === first.dueMs) return;
      this.#removeFirst();
    }
  }

  #removeFirst() {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return first;
    this.#heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const smaller = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(smaller) >= this.#at(at)) return first;
      this.#swap(smaller, at);
      at = smaller;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.dueMs ?? Infinity;
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}
