/**
 * Records that were in a log and are not in it any more. Without a fault that may lose them that is a lost write; with
 * one it is only right when everybody who knew of them was told.
 */
import type { AnomalyReport } from './anomaly.ts';
import type { HistoryEvent } from './history-event.ts';
import type { HistoryIndex, PartitionLog } from './history-index.ts';
import { valueKey } from './history-index.ts';
import type { Loss } from './losses.ts';
import { eventsOf, okOf, type Operation } from './pair-operations.ts';
import { checkReports, type Vanished } from './check-truncation-reports.ts';
import { sliceLog } from './slice-log.ts';

/** `lost-write`, `ack-class-loss` (A13), `truncation-silent` (A12). */
export function checkLostRecords(index: HistoryIndex, report: AnomalyReport): void {
  const stored = new Set<string>();
  for (const { topic, finalLog } of index.partitions.values()) {
    for (const [, value] of finalLog?.records ?? []) stored.add(valueKey(topic, value));
  }
  for (const partition of index.partitions.values()) {
    if (partition.finalLog === null) {
      checkByReads(index, partition, report);
      continue;
    }
    const vanished: Vanished[] = [];
    const survivors = lastSurvivors(index, partition);
    for (const record of knownRecords(index, partition)) {
      // What stands elsewhere was moved, which is an anomaly of its own; what is below the start was trimmed.
      if (stored.has(valueKey(partition.topic, record.value))) continue;
      if (record.offset < partition.finalLog.logStart) continue;
      const loss = explain(index, partition, record, survivors, report);
      if (loss !== null) vanished.push({ ...record, loss });
    }
    checkReports(index, partition, vanished, report);
  }
}

/** That this record was in the log, and who knows it: its producer, or who was given it. */
interface KnownRecord {
  readonly offset: number;
  readonly value: string;
  readonly send: Operation<'send'> | null;
  readonly delivery: Operation<'deliver'> | null;
}

function* knownRecords(index: HistoryIndex, partition: PartitionLog): Generator<KnownRecord> {
  const acked = new Set<string>();
  for (const { invoke, ok } of partition.sends) {
    acked.add(invoke.value);
    yield { offset: ok.offset, value: invoke.value, send: { invoke, end: ok }, delivery: null };
  }
  for (const delivery of partition.deliveries) {
    const { offset, value } = delivery.invoke;
    const send = index.sends.get(valueKey(partition.topic, value)) ?? null;
    // Whose send failed for certain was never there to be lost: that it was read is the anomaly.
    if (acked.has(value) || send?.end?.type === 'fail') continue;
    acked.add(value);
    yield { offset, value, send, delivery };
  }
}

/**
 * For each loss the last record that is still there and was acknowledged before it began. A server or its replica loses
 * the end of what it was told, never something before what it kept.
 */
function lastSurvivors(index: HistoryIndex, partition: PartitionLog): (loss: Loss) => number {
  const known = new Map<Loss, number>();
  return (loss) => {
    let last = known.get(loss);
    if (last !== undefined) return last;
    last = -1;
    for (const [offset, value] of partition.finalLog?.records ?? []) {
      const send = index.sends.get(valueKey(partition.topic, value));
      const ok = send === undefined ? null : okOf(send);
      if (ok !== null && ok.tMonoMs < loss.beginMs && offset > last) last = offset;
    }
    known.set(loss, last);
    return last;
  };
}

/** The loss that explains why the record is gone, where there is one that may. */
function explain(
  index: HistoryIndex,
  partition: PartitionLog,
  record: KnownRecord,
  lastSurvivor: (loss: Loss) => number,
  report: AnomalyReport,
): Loss | null {
  const { send, delivery, offset, value } = record;
  const writtenMs = (send ?? delivery)?.invoke.tMonoMs ?? 0;
  const candidates = index.losses.all.filter(
    (loss) => loss.endMs >= writtenMs && offset > lastSurvivor(loss),
  );
  const acked = send === null ? null : okOf(send);
  const acks = acked === null ? null : send?.invoke.acks;
  const excusing = candidates.find(
    ({ invoke }) => acks === null || acks === undefined || !invoke.survivedBy.includes(acks),
  );
  if (excusing !== undefined) return excusing;

  const { topic, p, finalLog } = partition;
  const where = `"${value}" at ${offset} of ${topic}/${p}`;
  const log = finalLog === null ? [] : [sliceLog(finalLog, [])];
  const end = `the log ends at ${finalLog?.logEnd} without it`;
  const [broken] = candidates;
  if (broken !== undefined && send !== null) {
    report.add(
      'ack-class-loss',
      [broken.invoke, ...eventsOf(send), ...log],
      () =>
        `${where} was acknowledged as ${send.invoke.acks}, which survives "${broken.invoke.name}", and ${end}`,
    );
    return null;
  }
  const known: HistoryEvent[] = delivery === null ? [] : [delivery.invoke];
  if (delivery === null && send !== null) known.push(...eventsOf(send));
  const how = delivery === null ? 'acknowledged' : 'delivered';
  report.add('lost-write', [...known, ...log], () => `${where} was ${how}, and ${end}`);
  return null;
}

/** Without the log itself: acknowledged, given to nobody, and somebody was given what stands behind it. */
function checkByReads(index: HistoryIndex, partition: PartitionLog, report: AnomalyReport): void {
  const read = new Set<string>();
  let last: Operation<'deliver'> | null = null;
  for (const delivery of partition.deliveries) {
    read.add(delivery.invoke.value);
    if (last === null || delivery.invoke.offset > last.invoke.offset) last = delivery;
  }
  if (last === null) return;
  const firstRead = firstOffsetOfAnyGroup(index, partition);
  const { invoke: behind } = last;
  for (const { invoke, ok } of partition.sends) {
    if (ok.offset >= behind.offset || ok.offset < firstRead || read.has(invoke.value)) continue;
    if (index.losses.isBetween(invoke.tMonoMs, behind.tMonoMs)) continue;
    report.add(
      'lost-write',
      [invoke, ok, behind],
      () =>
        `"${invoke.value}" was acknowledged at ${ok.offset} of ${partition.topic}/${partition.p} and nobody was given it, but ${behind.offset} behind it`,
    );
  }
}

function firstOffsetOfAnyGroup(index: HistoryIndex, { topic, p }: PartitionLog): number {
  let first = Number.POSITIVE_INFINITY;
  for (const at of index.groups.values()) {
    const [ownership] = at.ownerships;
    if (at.topic === topic && at.p === p) first = Math.min(first, ownership?.ok.committed ?? 0);
  }
  return first;
}
