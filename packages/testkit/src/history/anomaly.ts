/** What the checker reports: the names, and a report that keeps of each the shortest piece of history that shows it. */
import type { HistoryEvent } from './history-event.ts';

/**
 * Jepsen's names where Jepsen has one (its `poll-skip` is `epoch-skip` here: consecutive offsets are demanded of one
 * ownership). Each is defined where it is looked for.
 */
export const ANOMALY_NAMES = [
  'inconsistent-offsets',
  'duplicate',
  'gap',
  'nonmonotonic-send',
  'aborted-read',
  'lost-write',
  'ack-class-loss',
  'truncation-silent',
  'unseen',
  'epoch-skip',
  'nonmonotonic-poll',
  'handover-skip',
  'excess-redelivery',
  'stale-commit-accepted',
  'unowned-commit',
  'commit-regression',
  'commit-beyond-hw',
  'commit-beyond-position',
  'duplicate-epoch',
  'epoch-regression',
  'stale-publish-accepted',
  'zombie-start',
  'unowned-delivery',
  'resume-latency',
] as const;

export type AnomalyName = (typeof ANOMALY_NAMES)[number];

export interface Anomaly {
  readonly name: AnomalyName;
  /** How often it was found. */
  readonly count: number;
  /** The instance that takes the fewest events to show, in words. */
  readonly what: string;
  /** These events, in the order in which they were written. */
  readonly events: readonly HistoryEvent[];
}

export class AnomalyReport {
  readonly #found = new Map<AnomalyName, { count: number; what: () => string; events: HistoryEvent[] }>();

  /** `what` is asked only for what is reported in the end. */
  add(name: AnomalyName, events: readonly HistoryEvent[], what: () => string): void {
    const found = this.#found.get(name);
    if (found === undefined) {
      this.#found.set(name, { count: 1, what, events: [...events] });
      return;
    }
    found.count++;
    if (events.length >= found.events.length) return;
    found.what = what;
    found.events = [...events];
  }

  anomalies(): Anomaly[] {
    return ANOMALY_NAMES.flatMap((name) => {
      const found = this.#found.get(name);
      if (found === undefined) return [];
      const events = found.events.sort((a, b) => a.tMonoMs - b.tMonoMs || a.i - b.i);
      return [{ name, count: found.count, what: found.what(), events }];
    });
  }
}
