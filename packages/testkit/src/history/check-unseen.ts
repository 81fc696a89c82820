/**
 * `unseen`: a record that is in the log, or was trimmed from its start, and that a group is past without having finished
 * it. With a run that waited for its groups to drain, every record.
 */
import type { AnomalyReport } from './anomaly.ts';
import type { CheckRules } from './check-options.ts';
import type { HistoryEvent } from './history-event.ts';
import type { GroupPartition, HistoryIndex, PartitionLog } from './history-index.ts';
import { valueKey } from './history-index.ts';
import { eventsOf, okOf } from './pair-operations.ts';
import { sliceLog } from './slice-log.ts';

export function checkUnseen(index: HistoryIndex, rules: CheckRules, report: AnomalyReport): void {
  const stored = storedValues(index);
  for (const at of index.groups.values()) {
    // Committed first and processed then: what a crash came between is lost, and the setting says so.
    if (rules.isAtMostOnce(at.group)) continue;
    const partition = index.partitions.get(`${at.topic}/${at.p}`);
    if (partition !== undefined) checkGroup(index, at, partition, stored, rules, report);
  }
}

function checkGroup(
  index: HistoryIndex,
  at: GroupPartition,
  partition: PartitionLog,
  stored: ReadonlySet<string>,
  rules: CheckRules,
  report: AnomalyReport,
): void {
  const seen = seenValues(at);
  const [first] = at.ownerships;
  const begin = first?.ok.committed ?? 0;
  const passed = passedOffset(at);
  const limit = rules.isDrained && partition.finalLog !== null ? Number.POSITIVE_INFINITY : passed.offset;
  for (const { offset, value, events } of recordsOf(index, partition, stored)) {
    if (offset < begin || offset >= limit || seen.has(value) || isSoughtPast(at, offset)) continue;
    const where = `"${value}" at ${offset} of ${at.topic}/${at.p}`;
    const isPassed = offset < passed.offset;
    const group = isPassed ? passed.events : first?.acquire === undefined ? [] : eventsOf(first.acquire);
    const start = partition.finalLog?.logStart ?? 0;
    const fate = offset < start ? `, and was trimmed: the log begins at ${start}` : '';
    report.add('unseen', [...events(), ...group], () =>
      isPassed
        ? `group ${at.group} has committed ${passed.offset} and never finished ${where}${fate}`
        : `group ${at.group} never finished ${where}${fate}`,
    );
  }
}

interface StoredRecord {
  readonly offset: number;
  readonly value: string;
  /** Asked only for what is reported: a slice of a long log costs its length. */
  readonly events: () => readonly HistoryEvent[];
}

/** What is in the log, and what was below its start. Without the log: what was acknowledged. */
function* recordsOf(
  index: HistoryIndex,
  partition: PartitionLog,
  stored: ReadonlySet<string>,
): Generator<StoredRecord> {
  const { finalLog } = partition;
  for (const [offset, value] of finalLog?.records ?? []) {
    yield { offset, value, events: () => (finalLog === null ? [] : [sliceLog(finalLog, [offset])]) };
  }
  const start = finalLog?.logStart ?? Number.POSITIVE_INFINITY;
  for (const { invoke, ok } of partition.sends) {
    if (ok.offset >= start || stored.has(valueKey(partition.topic, invoke.value))) continue;
    // Trimmed or lost: nobody can tell.
    if (index.losses.isBetween(invoke.tMonoMs, Number.POSITIVE_INFINITY)) continue;
    const log = finalLog === null ? [] : [sliceLog(finalLog, [])];
    yield { offset: ok.offset, value: invoke.value, events: () => [invoke, ok, ...log] };
  }
}

function storedValues(index: HistoryIndex): Set<string> {
  const stored = new Set<string>();
  for (const { topic, finalLog } of index.partitions.values()) {
    for (const [, value] of finalLog?.records ?? []) stored.add(valueKey(topic, value));
  }
  return stored;
}

function seenValues(at: GroupPartition): Set<string> {
  const seen = new Set<string>();
  for (const { operation } of at.deliveries) {
    if (okOf(operation) !== null) seen.add(operation.invoke.value);
  }
  for (const { events } of at.ownerships) {
    for (const event of events) if (event.f === 'dead-letter') seen.add(event.value);
  }
  return seen;
}

/** How far the group has committed for certain, and what says so. */
function passedOffset(at: GroupPartition): {
  readonly offset: number;
  readonly events: readonly HistoryEvent[];
} {
  if (at.finalCommitted !== null) return { offset: at.finalCommitted.committed, events: [at.finalCommitted] };
  let passed: { offset: number; events: readonly HistoryEvent[] } = { offset: 0, events: [] };
  for (const { operation } of at.commits) {
    const ok = okOf(operation);
    if (ok === null || ok.status !== 'COMMITTED' || operation.invoke.offset <= passed.offset) continue;
    passed = { offset: operation.invoke.offset, events: eventsOf(operation) };
  }
  return passed;
}

/** Left out by somebody's wish: a seek went forward over it. */
function isSoughtPast(at: GroupPartition, offset: number): boolean {
  return at.seeks.some(({ invoke }) => {
    if (offset >= invoke.offset) return false;
    const ownership = at.ownerships.find(({ ok }) => ok.epoch === invoke.epoch);
    return ownership === undefined || offset >= ownership.ok.committed;
  });
}
