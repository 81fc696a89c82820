/**
 * What a log must be whoever reads it: one value at an offset, one offset for a value, no hole, and an order in which
 * what was acknowledged first stands first.
 */
import type { AnomalyReport } from './anomaly.ts';
import type { FactEvent, HistoryEvent } from './history-event.ts';
import type { AckedSend, HistoryIndex, PartitionLog } from './history-index.ts';
import { sliceLog } from './slice-log.ts';
import { valueKey } from './history-index.ts';

/** That a value stands at an offset. */
interface Sighting {
  readonly p: number;
  readonly offset: number;
  readonly value: string;
  /** The record was in the log by then. */
  readonly byMs: number;
  readonly event: HistoryEvent;
}

/** `inconsistent-offsets` (one offset, two values) and `duplicate` (one value, two offsets). */
export function checkOffsets(index: HistoryIndex, report: AnomalyReport): void {
  const firstOfValue = new Map<string, Sighting>();
  for (const partition of index.partitions.values()) {
    const firstAt = new Map<number, Sighting>();
    for (const sighting of sightings(partition)) {
      const atOffset = firstAt.get(sighting.offset);
      if (atOffset === undefined) firstAt.set(sighting.offset, sighting);
      else if (atOffset.value !== sighting.value)
        reportConflict(index, report, partition, atOffset, sighting);

      const key = valueKey(partition.topic, sighting.value);
      const ofValue = firstOfValue.get(key);
      if (ofValue === undefined) firstOfValue.set(key, sighting);
      else if (ofValue.offset !== sighting.offset || ofValue.p !== sighting.p)
        reportDuplicate(index, report, partition, ofValue, sighting);
    }
  }
}

/** The final log first: what differs from it is compared with what is true in the end. */
function* sightings(partition: PartitionLog): Generator<Sighting> {
  const { p, finalLog, sends, deliveries } = partition;
  for (const [offset, value] of finalLog?.records ?? []) {
    yield { p, offset, value, byMs: finalLog?.tMonoMs ?? 0, event: finalLog as HistoryEvent };
  }
  for (const { invoke, ok } of sends) {
    yield { p, offset: ok.offset, value: invoke.value, byMs: ok.tMonoMs, event: ok };
  }
  for (const { invoke } of deliveries) {
    yield { p, offset: invoke.offset, value: invoke.value, byMs: invoke.tMonoMs, event: invoke };
  }
}

function reportConflict(
  index: HistoryIndex,
  report: AnomalyReport,
  partition: PartitionLog,
  one: Sighting,
  other: Sighting,
): void {
  const { topic, p } = partition;
  // One of them may have been written, lost, and its offset used again.
  if (mayReplace(index, topic, one, other) || mayReplace(index, topic, other, one)) return;
  report.add(
    'inconsistent-offsets',
    [...witness(index, topic, one), ...witness(index, topic, other)],
    () => `offset ${one.offset} of ${topic}/${p} holds "${one.value}" and "${other.value}"`,
  );
}

function mayReplace(index: HistoryIndex, topic: string, earlier: Sighting, later: Sighting): boolean {
  const send = index.sends.get(valueKey(topic, earlier.value));
  return index.losses.isBetween(send?.invoke.tMonoMs ?? earlier.byMs, later.byMs);
}

function reportDuplicate(
  index: HistoryIndex,
  report: AnomalyReport,
  partition: PartitionLog,
  one: Sighting,
  other: Sighting,
): void {
  const { topic } = partition;
  // Lost, and written again by its producer, which had not heard of the first time.
  const areBothThere = one.event.f === 'final-log' && other.event.f === 'final-log';
  const later = one.byMs > other.byMs ? one : other;
  if (!areBothThere && mayReplace(index, topic, one, later)) return;
  const places = [one, other].map(({ p, offset }) => `${topic}/${p} offset ${offset}`).join(' and ');
  const events =
    one.event === other.event
      ? [sliceLog(one.event as FactEvent<'final-log'>, [one.offset, other.offset])]
      : [...witness(index, topic, one), ...witness(index, topic, other)];
  report.add('duplicate', events, () => `"${one.value}" was sent once and stands at ${places}`);
}

function witness(index: HistoryIndex, topic: string, { event, value, offset }: Sighting): HistoryEvent[] {
  if (event.f === 'final-log') return [sliceLog(event, [offset])];
  if (event.f !== 'send') return [event];
  const send = index.sends.get(valueKey(topic, value));
  return send === undefined ? [event] : [send.invoke, event];
}

/** `gap`: offsets are dense, so a hole in them is a record that was taken out of the middle. */
export function checkGaps(index: HistoryIndex, report: AnomalyReport): void {
  for (const { topic, p, finalLog } of index.partitions.values()) {
    if (finalLog === null) continue;
    const { logStart, logEnd, records, entries, entriesAdded, maxDeleted } = finalLog;
    let next = logStart;
    for (const [offset] of records) {
      if (offset < logStart || offset < next) continue;
      if (offset > next) {
        const [from, to] = [next, offset - 1];
        report.add(
          'gap',
          [sliceLog(finalLog, [offset])],
          () =>
            `${topic}/${p} has no records ${from} to ${to}, but has ${offset} (it holds ${logStart} to ${logEnd - 1})`,
        );
      }
      next = offset + 1;
    }
    if (next !== logEnd) {
      report.add(
        'gap',
        [sliceLog(finalLog, [])],
        () => `the records of ${topic}/${p} end at ${next}, and its end says ${logEnd}`,
      );
    }
    if (maxDeleted !== undefined && maxDeleted !== '0-0') {
      report.add(
        'gap',
        [sliceLog(finalLog, [])],
        () => `entry ${maxDeleted} was deleted from the stream of ${topic}/${p}`,
      );
    }
    if (
      logStart === 0 &&
      entries !== undefined &&
      entriesAdded !== undefined &&
      entries !== entriesAdded &&
      !index.losses.isBetween(Number.NEGATIVE_INFINITY, finalLog.tMonoMs)
    ) {
      report.add(
        'gap',
        [sliceLog(finalLog, [])],
        () =>
          `${entriesAdded} entries were added to the stream of ${topic}/${p} and ${entries} are there, untrimmed`,
      );
    }
  }
}

/**
 * `nonmonotonic-send`: a send that was acknowledged before another one began stands behind it; or two sends of one
 * process with one key stand in another order than they were made in.
 */
export function checkSendOrder(index: HistoryIndex, report: AnomalyReport): void {
  for (const partition of index.partitions.values()) {
    const byOffset = [...partition.sends].sort((a, b) => b.ok.offset - a.ok.offset);
    let earliest: AckedSend | null = null;
    const nextOfKey = new Map<string, AckedSend>();
    for (const send of byOffset) {
      if (earliest !== null && earliest.ok.tMonoMs < send.invoke.tMonoMs)
        reportOrder(index, report, partition, earliest, send);
      else if (send.invoke.key !== undefined) {
        const next = nextOfKey.get(`${send.invoke.incarnation} ${send.invoke.key}`);
        if (next !== undefined && next.invoke.i < send.invoke.i)
          reportOrder(index, report, partition, next, send);
      }
      if (earliest === null || send.ok.tMonoMs < earliest.ok.tMonoMs) earliest = send;
      if (send.invoke.key !== undefined) nextOfKey.set(`${send.invoke.incarnation} ${send.invoke.key}`, send);
    }
  }
}

function reportOrder(
  index: HistoryIndex,
  report: AnomalyReport,
  { topic, p }: PartitionLog,
  first: AckedSend,
  second: AckedSend,
): void {
  // At one offset they are an inconsistency, and behind a loss offsets begin again.
  if (first.ok.offset === second.ok.offset) return;
  if (index.losses.isBetween(first.invoke.tMonoMs, second.ok.tMonoMs)) return;
  report.add(
    'nonmonotonic-send',
    [first.invoke, first.ok, second.invoke, second.ok],
    () =>
      `"${first.invoke.value}" was sent to ${topic}/${p} before "${second.invoke.value}" and stands behind it: ` +
      `at ${first.ok.offset}, the other at ${second.ok.offset}`,
  );
}

/** `aborted-read`: a record is in the log whose producer was told that it definitely is not. */
export function checkAbortedReads(index: HistoryIndex, report: AnomalyReport): void {
  for (const partition of index.partitions.values()) {
    for (const { value, event, offset } of sightings(partition)) {
      const send = index.sends.get(valueKey(partition.topic, value));
      if (send?.end?.type !== 'fail') continue;
      const { end } = send;
      report.add(
        'aborted-read',
        [send.invoke, end, event.f === 'final-log' ? sliceLog(event, [offset]) : event],
        () => `"${value}" failed to be sent and stands in ${partition.topic}/${partition.p} at ${offset}`,
      );
    }
  }
}
