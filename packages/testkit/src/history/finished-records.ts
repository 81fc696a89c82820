/** How far an ownership is through its records: everything before `position` is done. */
import type { HistoryEvent } from './history-event.ts';

export class FinishedRecords {
  readonly #countsBegun: boolean;
  readonly #offsets = new Map<number, number>();
  readonly #beyond = new Set<number>();
  #position: number;

  /** With `countsBegun` a record counts as done as soon as its handler was called. */
  constructor(committed: number, countsBegun: boolean) {
    this.#position = committed;
    this.#countsBegun = countsBegun;
  }

  get position(): number {
    return this.#position;
  }

  /** Events of one ownership, in order. */
  note(event: HistoryEvent): void {
    if (event.f === 'dead-letter') this.#finish(event.offset);
    if (event.f === 'seek' && event.type === 'ok' && event.committed !== undefined) {
      this.#position = event.committed;
      this.#beyond.clear();
    }
    if (event.f !== 'deliver') return;
    if (event.type === 'invoke') {
      this.#offsets.set(event.id, event.offset);
      if (this.#countsBegun) this.#finish(event.offset);
    } else if (event.type === 'ok') {
      const offset = this.#offsets.get(event.id);
      if (offset !== undefined) this.#finish(offset);
    }
  }

  #finish(offset: number): void {
    if (offset < this.#position) return;
    this.#beyond.add(offset);
    while (this.#beyond.delete(this.#position)) this.#position++;
  }
}
