/**
 * How long it takes after a fault until a partition is worked on again, and how long partitions had no owner.
 *
 * Resume. For a fault that hits a process of the history: for each partition that it owned when the fault began, from
 * then on, or from the acknowledgement of the record in question where that came later, until the first delivery under a
 * new ownership. A partition whose owner went on after the fault, before anybody else had it, was not interrupted and is
 * not counted. For any other fault (a server, the network): from its end until the first delivery after it.
 *
 * Unowned. From the end of one ownership (released, lost, or its process hit by a fault that it did not survive as the
 * owner) to the grant of the next, of all groups and partitions together. What comes after the last owner does not count.
 */
import type { AnomalyReport } from './anomaly.ts';
import type { CheckRules } from './check-options.ts';
import type { HistoryEvent } from './history-event.ts';
import type { AckedSend, Delivery, GroupPartition, HistoryIndex, Ownership } from './history-index.ts';
import { endOf } from './ownership-end.ts';
import { eventsOf, type Operation } from './pair-operations.ts';

export interface ResumeMeasure {
  /** Null when no fault interrupted anything. */
  readonly resumeMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  readonly secondsUnowned: number;
  /** Of one partition at a time. */
  readonly longestUnownedMs: number;
}

/** Reports `resume-latency` (A11) for what took longer than the bound, or never came. */
export function measureResume(index: HistoryIndex, rules: CheckRules, report: AnomalyReport): ResumeMeasure {
  const resumed: number[] = [];
  const procs = new Set<string>();
  for (const { ownerships } of index.groups.values())
    for (const { invoke } of ownerships) procs.add(invoke.proc);

  let unownedMs = 0;
  let longestUnownedMs = 0;
  for (const at of index.groups.values()) {
    const sends = index.partitions.get(`${at.topic}/${at.p}`)?.sends ?? [];
    const context = { at, sends, last: index.events.at(-1) };
    for (const fault of index.faults) {
      const isProcess = fault.invoke.target !== undefined && procs.has(fault.invoke.target);
      const wait = isProcess ? afterVictim(context, fault) : afterHeal(context, fault);
      if (wait === null) continue;
      if (wait.isOver) resumed.push(wait.ms);
      const boundMs = fault.invoke.resumeBoundMs ?? rules.resumeBoundMs;
      if (wait.ms <= boundMs) continue;
      report.add('resume-latency', wait.events, () => {
        const took = wait.isOver
          ? `took ${Math.round(wait.ms)} ms`
          : `did not come in ${Math.round(wait.ms)} ms`;
        return `after "${fault.invoke.name}" the next delivery of ${at.topic}/${at.p} in group ${at.group} ${took} (bound ${boundMs} ms)`;
      });
    }
    for (const gapMs of unownedGaps(index, at)) {
      unownedMs += gapMs;
      longestUnownedMs = Math.max(longestUnownedMs, gapMs);
    }
  }
  return { resumeMs: percentiles(resumed), secondsUnowned: unownedMs / 1000, longestUnownedMs };
}

interface Context {
  readonly at: GroupPartition;
  readonly sends: readonly AckedSend[];
  /** Of the whole history. */
  readonly last: HistoryEvent | undefined;
}

interface Wait {
  readonly ms: number;
  readonly isOver: boolean;
  readonly events: readonly HistoryEvent[];
}

function afterVictim(context: Context, fault: Operation<'fault'>): Wait | null {
  const { at } = context;
  const beginMs = fault.invoke.tMonoMs;
  const owner = ownerAt(at, beginMs);
  if (owner === null || owner.invoke.proc !== fault.invoke.target) return null;
  const heir = at.ownerships.find(({ ok }) => ok.tMonoMs > beginMs && ok.epoch !== owner.ok.epoch);
  if (hasSurvived(owner, fault, heir)) return null;
  const next = at.deliveries.find(
    ({ operation, ownership }) =>
      operation.invoke.tMonoMs > beginMs && ownership !== null && ownership.ok.tMonoMs > beginMs,
  );
  return waitUntil(context, next, beginMs, [fault.invoke, ...eventsOf(owner.acquire)]);
}

function afterHeal(context: Context, fault: Operation<'fault'>): Wait | null {
  const { at } = context;
  if (fault.end === null || at.ownerships.length === 0) return null;
  const healedMs = fault.end.tMonoMs;
  const next = at.deliveries.find(({ operation }) => operation.invoke.tMonoMs > healedMs);
  return waitUntil(context, next, healedMs, eventsOf(fault));
}

/** From `fromMs`, or from when there was something to deliver, to the delivery. Null when there never was. */
function waitUntil(
  { at, sends, last }: Context,
  next: Delivery | undefined,
  fromMs: number,
  events: readonly HistoryEvent[],
): Wait | null {
  if (next !== undefined) {
    const { invoke } = next.operation;
    const acked = sends.find(({ ok }) => ok.offset === invoke.offset);
    const ms = Math.max(0, invoke.tMonoMs - Math.max(fromMs, acked?.ok.tMonoMs ?? fromMs));
    const owner = next.ownership === null ? [] : eventsOf(next.ownership.acquire);
    return { ms, isOver: true, events: [...new Set([...events, ...owner, invoke])] };
  }
  // Nobody was given anything again. That is no wonder when there was nothing left.
  let behind = at.ownerships[0]?.ok.committed ?? 0;
  for (const { operation } of at.deliveries) behind = Math.max(behind, operation.invoke.offset + 1);
  let left: AckedSend | null = null;
  for (const send of sends) {
    if (send.ok.offset >= behind && (left === null || send.ok.tMonoMs < left.ok.tMonoMs)) left = send;
  }
  if (left === null || last === undefined) return null;
  const ms = last.tMonoMs - Math.max(fromMs, left.ok.tMonoMs);
  return { ms, isOver: false, events: [...new Set([...events, left.invoke, left.ok, last])] };
}

/** Who had the partition at that time, by what its process knew. */
function ownerAt(at: GroupPartition, atMs: number): Ownership | null {
  const owner = at.ownerships.findLast(({ ok }) => ok.tMonoMs <= atMs);
  if (owner === undefined) return null;
  const end = endOf(owner);
  return end !== null && end.tMonoMs <= atMs ? null : owner;
}

/** It delivered again under its old ownership when the fault was over, and before anybody else had the partition. */
function hasSurvived(owner: Ownership, fault: Operation<'fault'>, heir: Ownership | undefined): boolean {
  const healedMs = fault.end?.tMonoMs;
  if (healedMs === undefined) return false;
  const untilMs = heir?.ok.tMonoMs ?? Number.POSITIVE_INFINITY;
  return owner.events.some(
    ({ f, type, tMonoMs }) => f === 'deliver' && type === 'invoke' && tMonoMs > healedMs && tMonoMs < untilMs,
  );
}

function* unownedGaps(index: HistoryIndex, at: GroupPartition): Generator<number> {
  for (const [position, ownership] of at.ownerships.entries()) {
    const heir = at.ownerships[position + 1];
    if (heir === undefined) return;
    let endMs = Math.min(endOf(ownership)?.tMonoMs ?? heir.ok.tMonoMs, heir.ok.tMonoMs);
    for (const fault of index.faults) {
      const { target, tMonoMs } = fault.invoke;
      if (target !== ownership.invoke.proc || tMonoMs < ownership.ok.tMonoMs || tMonoMs >= endMs) continue;
      if (!hasSurvived(ownership, fault, heir)) endMs = tMonoMs;
    }
    yield heir.ok.tMonoMs - endMs;
  }
}

/** Nearest rank. */
function percentiles(values: readonly number[]): ResumeMeasure['resumeMs'] {
  const sorted = [...values].sort((a, b) => a - b);
  const max = sorted.at(-1);
  if (max === undefined) return null;
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? max;
  return { p50: rank(0.5), p99: rank(0.99), max };
}
