/** The rules of a partition's log once more: append by sequence, and reading from a position. */

export interface LogEntry {
  readonly nextOffset: number;
  readonly count: number;
  readonly appendedMs: number;
  readonly batch: Uint8Array;
}

export interface LogAppend {
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly sequence: number;
  readonly recordCount: number;
  readonly batch: Uint8Array;
}

export type LogAppendResult =
  | { readonly status: 'APPENDED' | 'DUPLICATE'; readonly baseOffset: number; readonly appendedMs: number }
  | { readonly status: 'PRODUCER_FENCED'; readonly epoch: number }
  | { readonly status: 'UNKNOWN_PRODUCER' }
  | { readonly status: 'OUT_OF_ORDER_SEQUENCE'; readonly expected: number };

interface KnownProducer {
  readonly epoch: number;
  readonly nextSequence: number;
  /** The last batches, newest last. */
  readonly batches: readonly {
    readonly sequence: number;
    readonly count: number;
    readonly baseOffset: number;
    readonly appendedMs: number;
  }[];
}

const KEPT_BATCHES = 5;

export class LogModel {
  #entries: LogEntry[] = [];
  #producers = new Map<string, KnownProducer>();
  #end = 0;
  #appendedMs = 0;

  /** The slot as a replica has it that has received everything up to now. */
  clone(): LogModel {
    const copy = new LogModel();
    copy.#entries = this.#entries.slice();
    copy.#producers = new Map(this.#producers);
    copy.#end = this.#end;
    copy.#appendedMs = this.#appendedMs;
    return copy;
  }

  get end(): number {
    return this.#end;
  }

  append(request: LogAppend, timeMs: number): LogAppendResult {
    const { producerId, producerEpoch, sequence, recordCount, batch } = request;
    const known = this.#producers.get(producerId);
    const isSameEpoch = known?.epoch === producerEpoch;
    if (known === undefined && sequence !== 0) return { status: 'UNKNOWN_PRODUCER' };
    if (known !== undefined && known.epoch > producerEpoch) {
      return { status: 'PRODUCER_FENCED', epoch: known.epoch };
    }
    const before = isSameEpoch ? known.batches : [];
    const twin = before.find((kept) => kept.sequence === sequence && kept.count === recordCount);
    if (twin !== undefined) {
      return { status: 'DUPLICATE', baseOffset: twin.baseOffset, appendedMs: twin.appendedMs };
    }
    const expected = isSameEpoch ? known.nextSequence : 0;
    if (sequence !== expected) return { status: 'OUT_OF_ORDER_SEQUENCE', expected };

    const baseOffset = this.#end;
    const appendedMs = Math.max(timeMs, this.#appendedMs);
    this.#end += recordCount;
    this.#appendedMs = appendedMs;
    this.#entries.push({ nextOffset: this.#end, count: recordCount, appendedMs, batch });
    this.#producers.set(producerId, {
      epoch: producerEpoch,
      nextSequence: sequence + recordCount,
      batches: [...before, { sequence, count: recordCount, baseOffset, appendedMs }].slice(-KEPT_BATCHES),
    });
    return { status: 'APPENDED', baseOffset, appendedMs };
  }

  /** The entry of exactly this id. */
  entryAt(nextOffset: number): LogEntry | undefined {
    return this.#entries.find((entry) => entry.nextOffset === nextOffset);
  }

  /** As XREAD from `0-<offset>`: entries with a higher id, and nothing said about a position behind the end. */
  read(offset: number, maxEntries: number): readonly LogEntry[] {
    const entries = this.#entries;
    let first = entries.length;
    while (first > 0 && (entries[first - 1]?.nextOffset ?? 0) > offset) first--;
    return entries.slice(first, first + maxEntries);
  }
}
