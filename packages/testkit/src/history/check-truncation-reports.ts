/**
 * `truncation-silent` (A12): records vanished by a fault that may lose them, and a process that knew one of them went on
 * with the partition without having been told that its log went back.
 *
 * A producer knows what was acknowledged to it, a consumer what its handler was given while it owned the partition when
 * the fault began. Who did nothing more with the partition afterwards need not be told: it had no occasion to find out.
 */
import type { AnomalyReport } from './anomaly.ts';
import type { HistoryEvent } from './history-event.ts';
import type { HistoryIndex, Ownership, PartitionLog } from './history-index.ts';
import type { Loss } from './losses.ts';
import { eventsOf, okOf, type Operation } from './pair-operations.ts';
import { sliceLog } from './slice-log.ts';

export interface Vanished {
  readonly offset: number;
  readonly value: string;
  readonly send: Operation<'send'> | null;
  readonly loss: Loss;
}

export function checkReports(
  index: HistoryIndex,
  partition: PartitionLog,
  vanished: readonly Vanished[],
  report: AnomalyReport,
): void {
  if (vanished.length === 0) return;
  for (const record of vanished) checkProducer(index, partition, record, report);
  const byValue = new Map(vanished.map((record) => [record.value, record]));
  for (const at of index.groups.values()) {
    if (at.topic !== partition.topic || at.p !== partition.p) continue;
    for (const { operation, ownership } of at.deliveries) {
      const record = byValue.get(operation.invoke.value);
      if (record !== undefined && ownership !== null)
        checkConsumer(index, partition, at.ownerships, record, operation, ownership, report);
    }
  }
}

/** Which fault took a record of that moment: one of several, perhaps. Who goes on after the last one must have been told. */
function losing(index: HistoryIndex, atMs: number, otherwise: Loss): { first: Loss; last: Loss } {
  const after = index.losses.all.filter(({ endMs }) => endMs >= atMs);
  return { first: after[0] ?? otherwise, last: after.at(-1) ?? otherwise };
}

function checkProducer(
  index: HistoryIndex,
  partition: PartitionLog,
  { send, value, offset, loss: known }: Vanished,
  report: AnomalyReport,
): void {
  const ok = send === null ? null : okOf(send);
  if (send === null || ok === null) return;
  const { incarnation, proc } = send.invoke;
  const { first: loss, last } = losing(index, ok.tMonoMs, known);
  if (isTold(partition, 'producer', incarnation, null, loss)) return;
  const later = partition.sends.find(
    ({ invoke }) => invoke.incarnation === incarnation && invoke.tMonoMs > last.endMs,
  );
  if (later === undefined) return;
  report.add(
    'truncation-silent',
    [...eventsOf(loss.fault), ...eventsOf(send), later.invoke, later.ok, ...logOf(partition)],
    () =>
      `${proc} sent "${value}" to ${offset} of ${partition.topic}/${partition.p}, where it is not any more, and went on sending without a report`,
  );
}

function checkConsumer(
  index: HistoryIndex,
  partition: PartitionLog,
  ownerships: readonly Ownership[],
  { value, offset, loss: known }: Vanished,
  delivery: Operation<'deliver'>,
  ownership: Ownership,
  report: AnomalyReport,
): void {
  const { incarnation, proc, group } = delivery.invoke;
  const { first: loss, last } = losing(index, delivery.invoke.tMonoMs, known);
  const end = ownership.events.find(
    ({ f, type }) => f === 'lost' || f === 'revoked' || (f === 'release' && type === 'ok'),
  );
  if (end !== undefined && end.tMonoMs < loss.beginMs) return;
  if (isTold(partition, 'consumer', incarnation, group, loss)) return;
  const next = ownerships.find(
    ({ invoke, ok }) => invoke.incarnation === incarnation && ok.tMonoMs > last.endMs,
  );
  const later =
    next === undefined
      ? ownership.events.filter(
          ({ f, type, tMonoMs }) => f === 'deliver' && type === 'invoke' && tMonoMs > last.endMs,
        )
      : eventsOf(next.acquire);
  const [first] = later;
  if (first === undefined) return;
  report.add(
    'truncation-silent',
    [
      ...eventsOf(loss.fault),
      ...eventsOf(ownership.acquire),
      delivery.invoke,
      ...(next === undefined ? [first] : later),
      ...logOf(partition),
    ],
    () =>
      `${proc} was given "${value}" at ${offset} of ${partition.topic}/${partition.p}, where it is not any more, and went on without a report`,
  );
}

function isTold(
  { truncations }: PartitionLog,
  side: 'consumer' | 'producer',
  incarnation: string,
  group: string | null,
  { beginMs }: Loss,
): boolean {
  return truncations.some(
    (event) =>
      event.side === side &&
      event.incarnation === incarnation &&
      event.tMonoMs >= beginMs &&
      (group === null || event.group === undefined || event.group === group),
  );
}

function logOf({ finalLog }: PartitionLog): HistoryEvent[] {
  return finalLog === null ? [] : [sliceLog(finalLog, [])];
}
