/**
 * The last batches of one partition that this process has delivered, or was told are stored: what it compares with the
 * log when that may have gone back. Bounded: a log that lost more than this holds is reported from an offset that is
 * too low rather than too high.
 */

export interface TrailEntry {
  /** Offset of the first record. */
  readonly baseOffset: number;
  /** Offset after the last record. */
  readonly nextOffset: number;
  readonly fingerprint: string;
}

/** 64 to 128 are kept, about 10 KB. They are forgotten by the half, so that most additions only add. */
const KEPT = 64;

export class BatchTrail {
  #entries: TrailEntry[] = [];

  get entries(): readonly TrailEntry[] {
    return this.#entries;
  }

  /** Offset after the last batch; 0 when there is none. */
  get end(): number {
    return this.#entries.at(-1)?.nextOffset ?? 0;
  }

  /** Batches come in the order of their offsets; one that is there already, delivered once more, adds nothing. */
  add(entry: TrailEntry): void {
    if (entry.nextOffset <= this.end) return;
    this.#entries.push(entry);
    if (this.#entries.length >= 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
  }

  /** Forgets every batch that holds a record at or behind `offset`. */
  cutAt(offset: number): void {
    this.#entries = this.#entries.filter(({ nextOffset }) => nextOffset <= offset);
  }
}
