/** What changes together or not at all, and its last states: a failover goes back to one of them. */

interface Cloneable<S> {
  clone(): S;
}

/** As many operations as a failover may take from one slot. */
const KEPT_STATES = 48;

export class Slot<S extends Cloneable<S>> {
  state: S;
  readonly #past: { readonly operation: number; readonly state: S }[] = [];

  constructor(state: S) {
    this.state = state;
  }

  /** Before every operation that may write. `operation` counts the writes of the whole server. */
  remember(operation: number): void {
    this.#past.push({ operation, state: this.state.clone() });
    if (this.#past.length > KEPT_STATES) this.#past.shift();
  }

  /** Forgets the last `count` operations on this slot. */
  loseLast(count: number): void {
    const at = this.#past.length - Math.min(count, this.#past.length);
    const [kept] = this.#past.splice(at);
    if (kept !== undefined) this.state = kept.state;
  }

  /** How many operations with a number above `operation` are known here. */
  countAfter(operation: number): number {
    return this.#past.filter((entry) => entry.operation > operation).length;
  }
}
