/**
 * Writes the history of one process. Every event is handed to the kernel before the call returns: what was announced is
 * in the file when the process is killed in the next instruction. It is not on the disk then, which only a crash of the
 * machine would tell.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type {
  FactFields,
  FactName,
  HistoryEvent,
  InvokeFields,
  OkFields,
  OperationName,
} from './history-event.ts';

export interface HistoryWriterOptions {
  /** 'worker-1', 'producer-2', 'runner'. */
  readonly proc: string;
  /** Another one for every start of the process. */
  readonly incarnation: string;
  /** Comparable between all processes of the run, ms with a fraction. Default: CLOCK_MONOTONIC. */
  readonly monotonicMs?: () => number;
  /** Default: `Date.now`. */
  readonly wallMs?: () => number;
  /** Must not return before the event is safe. */
  readonly append: (event: HistoryEvent) => void;
}

const FACT_TYPES = {
  assigned: 'info',
  revoked: 'info',
  lost: 'info',
  truncated: 'info',
  trim: 'info',
  'dead-letter': 'info',
  'final-log': 'ok',
  'final-committed': 'ok',
} as const satisfies Record<FactName, 'info' | 'ok'>;

export class HistoryWriter {
  readonly #options: Required<HistoryWriterOptions>;
  #count = 0;
  #lastId = 0;

  constructor(options: HistoryWriterOptions) {
    this.#options = { monotonicMs: hostMonotonicMs, wallMs: Date.now, ...options };
  }

  /** Call before the thing is done. Returns the id that its completion carries. */
  invoke<F extends OperationName>(f: F, fields: InvokeFields<F>): number {
    const id = ++this.#lastId;
    this.#append({ type: 'invoke', f, id, ...fields });
    return id;
  }

  ok<F extends OperationName>(f: F, id: number, fields: OkFields<F>): void {
    this.#append({ type: 'ok', f, id, ...fields });
  }

  /** It definitely did not happen. When in doubt it is `unknown`. */
  fail(f: OperationName, id: number, code?: string): void {
    this.#append({ type: 'fail', f, id, ...(code === undefined ? {} : { code }) });
  }

  /** Nobody knows whether it happened. */
  unknown(f: OperationName, id: number, code?: string): void {
    this.#append({ type: 'info', f, id, ...(code === undefined ? {} : { code }) });
  }

  fact<F extends FactName>(f: F, fields: FactFields<F>): void {
    this.#append({ type: FACT_TYPES[f], f, ...fields });
  }

  #append(event: object): void {
    const { proc, incarnation, monotonicMs, wallMs, append } = this.#options;
    append({
      i: this.#count++,
      tMonoMs: monotonicMs(),
      tWallMs: wallMs(),
      proc,
      incarnation,
      ...event,
    } as HistoryEvent);
  }
}

export interface HistoryFile {
  readonly writer: HistoryWriter;
  readonly path: string;
  close(): void;
}

export interface OpenHistoryOptions {
  /** Is created where it does not exist. */
  readonly directory: string;
  /** 'worker-1', 'producer-2', 'runner'. Part of the file's name. */
  readonly proc: string;
}

/** A file of its own for every start of a process, so that nothing is ever written behind a torn line. */
export function openHistory({ directory, proc }: OpenHistoryOptions): HistoryFile {
  mkdirSync(directory, { recursive: true });
  const incarnation = randomUUID();
  const path = join(directory, `${proc}.${incarnation}.jsonl`);
  const file = openSync(path, 'ax');
  const append = (event: HistoryEvent): void => {
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    for (let written = 0; written < line.length;) written += writeSync(file, line, written);
  };
  return { writer: new HistoryWriter({ proc, incarnation, append }), path, close: () => closeSync(file) };
}

/** The clock that all processes of a host share; `performance.now()` begins anew in every process. */
function hostMonotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
