/** The rules of a partition's log once more: append by sequence, reading from a position, and what limits take away. */
import { DEFAULT_TRIM_COMMITTED_AFTER_MS, type TopicLimits, type TrimResult } from '@millrace/core';

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
  | { readonly status: 'OUT_OF_ORDER_SEQUENCE'; readonly expected: number }
  | {
      readonly status: 'TOPIC_FULL';
      readonly records: number;
      readonly maxRecords: number;
      readonly bytes: number;
      readonly maxBytes: number;
    };

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
const MAX_TRIMMED = 1_000;
const MAX_TRIMMED_BYTES = 8 * 1024 * 1024;

export class LogModel {
  #entries: LogEntry[] = [];
  #producers = new Map<string, KnownProducer>();
  #start = 0;
  #end = 0;
  #appendedMs = 0;
  #wasRefused = false;
  limits: TopicLimits = {};

  /** The slot as a replica has it that has received everything up to now. */
  clone(): LogModel {
    const copy = new LogModel();
    copy.#entries = this.#entries.slice();
    copy.#producers = new Map(this.#producers);
    copy.#start = this.#start;
    copy.#end = this.#end;
    copy.#wasRefused = this.#wasRefused;
    copy.limits = this.limits;
    copy.#appendedMs = this.#appendedMs;
    return copy;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get bytes(): number {
    return this.#entries.reduce((sum, { batch }) => sum + batch.length, 0);
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

    const full = this.#makeRoom(recordCount, batch.length);
    if (full !== null) return full;
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

  #makeRoom(records: number, bytes: number): Extract<LogAppendResult, { status: 'TOPIC_FULL' }> | null {
    const { maxRecords = Infinity, maxBytes = Infinity, onFull = 'refuse' } = this.limits;
    const isFull = (): boolean =>
      this.#entries.length > 0 &&
      (this.#end - this.#start + records > maxRecords || this.bytes + bytes > maxBytes);
    if (onFull === 'refuse' && isFull()) {
      this.#wasRefused = true;
      return {
        status: 'TOPIC_FULL',
        records: this.#end - this.#start,
        maxRecords: this.limits.maxRecords ?? 0,
        bytes: this.bytes,
        maxBytes: this.limits.maxBytes ?? 0,
      };
    }
    const keptFrom = this.#start;
    let freed = 0;
    const mayTrim = (count: number): boolean =>
      (count < MAX_TRIMMED && freed < MAX_TRIMMED_BYTES) ||
      (maxRecords < Infinity && this.#start - keptFrom < records) ||
      (maxBytes < Infinity && freed < bytes);
    for (let count = 0; isFull() && mayTrim(count); count++) freed += this.#removeFirst();
    return null;
  }

  #removeFirst(): number {
    const first = this.#entries[0];
    this.#entries = this.#entries.slice(1);
    this.#start = first?.nextOffset ?? this.#start;
    return first?.batch.length ?? 0;
  }

  /** `committed` of every group that has owned the partition. */
  trim(committed: readonly number[], timeMs: number): Extract<TrimResult, { status: 'TRIMMED' }> {
    const lowest = committed.length === 0 ? 0 : Math.min(...committed);
    let batches = 0;
    let freed = 0;
    let waitMs = this.#dueMs(this.#entries[0], lowest, committed.length > 0, timeMs);
    while (
      this.#entries.length > 0 &&
      waitMs !== null &&
      waitMs <= 0 &&
      batches < MAX_TRIMMED &&
      freed < MAX_TRIMMED_BYTES
    ) {
      freed += this.#removeFirst();
      batches++;
      waitMs = this.#dueMs(this.#entries[0], lowest, committed.length > 0, timeMs);
    }
    const isPressed = this.#isPressed();
    this.#wasRefused = false;
    const [logStart, logEnd, bytes] = [this.#start, this.#end, this.bytes];
    waitMs = waitMs === null ? null : Math.max(0, waitMs);
    return { status: 'TRIMMED', logStart, logEnd, bytes, batches, waitMs, isPressed };
  }

  #dueMs(entry: LogEntry | undefined, lowest: number, hasGroups: boolean, timeMs: number): number | null {
    const { maxAgeMs, onFull, trimCommittedAfterMs = DEFAULT_TRIM_COMMITTED_AFTER_MS } = this.limits;
    const keepMs = trimCommittedAfterMs === 'never' ? Infinity : trimCommittedAfterMs;
    const ageMs = entry === undefined ? 0 : timeMs - entry.appendedMs;
    const due: number[] = [];
    const isCommitted = entry === undefined || entry.nextOffset <= lowest;
    if (isCommitted && keepMs < Infinity && (entry !== undefined || keepMs > 0))
      due.push(entry !== undefined && this.#isPressed() ? 0 : keepMs - ageMs);
    if (isCommitted || !hasGroups || entry.nextOffset < this.#end) {
      if (maxAgeMs !== undefined) due.push(maxAgeMs - ageMs);
      if (entry !== undefined && onFull === 'trim' && this.#isOver(1)) due.push(0);
    }
    return due.length === 0 ? null : Math.min(...due);
  }

  #isOver(share: number): boolean {
    const { maxRecords = Infinity, maxBytes = Infinity } = this.limits;
    return this.#end - this.#start > maxRecords * share || this.bytes > maxBytes * share;
  }

  #isPressed(): boolean {
    const { maxRecords, maxBytes, onFull = 'refuse' } = this.limits;
    if (onFull !== 'refuse' || (maxRecords ?? maxBytes) === undefined) return false;
    return this.#wasRefused || this.#isOver(0.5);
  }

  /** Everything in the log was appended that long ago. */
  makeOld(byMs: number): void {
    this.#entries = this.#entries.map((entry) => ({ ...entry, appendedMs: entry.appendedMs - byMs }));
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
