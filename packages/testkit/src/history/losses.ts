/**
 * When a log may have lost something without an anomaly: between the beginning and the end of a fault that says so. What
 * was written after its beginning may stand where something of before it stood.
 */
import type { InvokeEvent } from './history-event.ts';
import type { Operation } from './pair-operations.ts';

export interface Loss {
  readonly fault: Operation<'fault'>;
  readonly invoke: InvokeEvent<'fault'>;
  readonly beginMs: number;
  /** Infinite when the history ends before the fault does. */
  readonly endMs: number;
}

export class Losses {
  readonly all: readonly Loss[];

  constructor(faults: readonly Operation<'fault'>[]) {
    this.all = faults
      .filter(({ invoke }) => invoke.mayLose !== null)
      .map((fault) => ({
        fault,
        invoke: fault.invoke,
        beginMs: fault.invoke.tMonoMs,
        endMs: fault.end?.tMonoMs ?? Number.POSITIVE_INFINITY,
      }));
  }

  /** Whether something that was true at `fromMs` need not be true any more at `toMs`. */
  isBetween(fromMs: number, toMs: number): boolean {
    return this.all.some(({ beginMs, endMs }) => beginMs <= toMs && endMs >= fromMs);
  }
}
