/**
 * Inside one ownership records are delivered one after the other, and the first is the committed offset that the acquire
 * returned. A record whose handler threw comes again before any other.
 */
import type { AnomalyReport } from './anomaly.ts';
import type { CheckRules } from './check-options.ts';
import type { HistoryEvent, InvokeEvent } from './history-event.ts';
import type { HistoryIndex, Ownership } from './history-index.ts';

/** `handover-skip`, `excess-redelivery` (first delivery), `epoch-skip`, `nonmonotonic-poll` (all others). */
export function checkDeliveryOrder(index: HistoryIndex, rules: CheckRules, report: AnomalyReport): void {
  for (const { group, ownerships } of index.groups.values()) {
    for (const ownership of ownerships) walk(ownership, rules.isAtMostOnce(group), report);
  }
}

/** A record whose handler threw. */
interface Failure {
  readonly offset: number;
  readonly events: readonly HistoryEvent[];
}

function walk(ownership: Ownership, isAtMostOnce: boolean, report: AnomalyReport): void {
  const { committed } = ownership.ok;
  let previous: InvokeEvent<'deliver'> | null = null;
  /** The lowest record whose handler threw and that was not given to it again. */
  let failed: Failure | null = null;
  /** Where a seek went. Until a delivery shows that it has taken effect, both places are right. */
  let sought: number | null = null;
  const invoked = new Map<number, InvokeEvent<'deliver'>>();

  for (const event of ownership.events) {
    if (event.f === 'seek' && event.type === 'ok' && event.committed !== undefined) sought = event.committed;
    if (event.f === 'dead-letter' && failed?.offset === event.offset) failed = null;
    if (event.f !== 'deliver') continue;
    if (event.type === 'fail' && !isAtMostOnce) {
      const invoke = invoked.get(event.id);
      if (invoke !== undefined && (failed === null || invoke.offset < failed.offset))
        failed = { offset: invoke.offset, events: [invoke, event] };
    }
    if (event.type !== 'invoke') continue;
    invoked.set(event.id, event);
    const { offset } = event;
    if (offset === sought) {
      sought = null;
      failed = null;
    } else if (previous === null) {
      if (offset !== committed) reportFirst(ownership, event, report);
    } else {
      const expected: number = failed?.offset ?? previous.offset + 1;
      if (offset !== expected) reportNext(ownership, previous, failed, event, expected, report);
      if (failed !== null && offset >= failed.offset) failed = null;
    }
    previous = event;
  }
}

function reportFirst(ownership: Ownership, first: InvokeEvent<'deliver'>, report: AnomalyReport): void {
  const { committed, epoch } = ownership.ok;
  const where = `${first.topic}/${first.p} in group ${first.group}`;
  report.add(
    first.offset > committed ? 'handover-skip' : 'excess-redelivery',
    [ownership.invoke, ownership.ok, first],
    () =>
      `epoch ${epoch} of ${where} began at committed offset ${committed}, and its first delivery is ${first.offset}`,
  );
}

function reportNext(
  ownership: Ownership,
  previous: InvokeEvent<'deliver'>,
  failure: Failure | null,
  event: InvokeEvent<'deliver'>,
  expected: number,
  report: AnomalyReport,
): void {
  const where = `epoch ${event.epoch} of ${event.topic}/${event.p} in group ${event.group}`;
  const after = failure === null ? `${previous.offset}` : `${expected}, whose handler threw,`;
  const isAhead = event.offset > expected;
  // A repetition shows itself by the two deliveries; a skip behind a failure needs the failure.
  const before = isAhead && failure !== null ? failure.events : [previous];
  report.add(
    isAhead ? 'epoch-skip' : 'nonmonotonic-poll',
    [ownership.invoke, ownership.ok, ...before, event],
    () => `under ${where}, ${event.offset} was delivered after ${after} instead of ${expected}`,
  );
}
