/** Who may start a handler: the owner, and for as long as it can believe to be one. */
import type { AnomalyReport } from './anomaly.ts';
import type { CheckRules } from './check-options.ts';
import type { HistoryEvent } from './history-event.ts';
import type { HistoryIndex, Ownership } from './history-index.ts';
import { lastWordOf } from './ownership-end.ts';

/** `unowned-delivery` (A10): a handler was started under an epoch that its process did not have, or had given up or lost. */
export function checkUnownedDeliveries(index: HistoryIndex, report: AnomalyReport): void {
  for (const at of index.groups.values()) {
    const ends = new Map<Ownership, HistoryEvent | null>();
    for (const { operation, ownership } of at.deliveries) {
      const { invoke } = operation;
      const where = `${invoke.offset} of ${at.topic}/${at.p} in group ${at.group}`;
      if (ownership === null) {
        report.add(
          'unowned-delivery',
          [invoke],
          () => `${invoke.proc} was given ${where} under epoch ${invoke.epoch}, which it never acquired`,
        );
        continue;
      }
      let end = ends.get(ownership);
      if (end === undefined) {
        end = lastWordOf(ownership);
        ends.set(ownership, end);
      }
      if (end === null || end.i > invoke.i) continue;
      const { f } = end;
      report.add(
        'unowned-delivery',
        [ownership.invoke, ownership.ok, end, invoke],
        () => `${invoke.proc} was given ${where} under epoch ${invoke.epoch} after its "${f}"`,
      );
    }
  }
}

/**
 * `zombie-start` (A9): a handler was started when a newer owner had been at work for longer than the grace. One start is
 * forgiven to a process that has slept over it: it may have been stopped between its last look and the call.
 */
export function checkZombies(index: HistoryIndex, rules: CheckRules, report: AnomalyReport): void {
  const lastBefore = previousEvents(index.events);
  for (const at of index.groups.values()) {
    const heirs = firstHeirs(at.ownerships);
    for (const { operation } of at.deliveries) {
      const { invoke } = operation;
      const heir = heirs(invoke.epoch);
      if (heir === null) continue;
      const latestMs = heir.ok.tMonoMs + rules.zombieGraceMs;
      if (invoke.tMonoMs <= latestMs) continue;
      const before = lastBefore.get(invoke);
      if (before === undefined || before.tMonoMs <= latestMs) continue;
      report.add(
        'zombie-start',
        [heir.invoke, heir.ok, before, invoke],
        () =>
          `${invoke.proc} was given ${invoke.offset} of ${at.topic}/${at.p} in group ${at.group} under epoch ${invoke.epoch}, ` +
          `${Math.round(invoke.tMonoMs - heir.ok.tMonoMs)} ms after ${heir.invoke.member} had acquired it`,
      );
    }
  }
}

function previousEvents(events: readonly HistoryEvent[]): Map<HistoryEvent, HistoryEvent> {
  const previous = new Map<HistoryEvent, HistoryEvent>();
  const last = new Map<string, HistoryEvent>();
  for (const event of events) {
    const before = last.get(event.incarnation);
    if (before !== undefined && event.f === 'deliver' && event.type === 'invoke') previous.set(event, before);
    last.set(event.incarnation, event);
  }
  return previous;
}

/** Answers, for an epoch, the ownership that was the first to be granted under a higher one. */
function firstHeirs(ownerships: readonly Ownership[]): (epoch: number) => Ownership | null {
  const byEpoch = [...ownerships].sort((a, b) => a.ok.epoch - b.ok.epoch);
  const earliestFrom: Ownership[] = [];
  let earliest: Ownership | null = null;
  for (const [index, ownership] of [...byEpoch.entries()].reverse()) {
    if (earliest === null || ownership.ok.tMonoMs < earliest.ok.tMonoMs) earliest = ownership;
    earliestFrom[index] = earliest;
  }
  return (epoch) => {
    let [low, high] = [0, byEpoch.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((byEpoch[middle]?.ok.epoch ?? 0) <= epoch) low = middle + 1;
      else high = middle;
    }
    return earliestFrom[low] ?? null;
  };
}
