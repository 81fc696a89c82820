/**
 * The committed offset through time. Acknowledged once, it is there for whoever looks later; what nobody has asked to
 * commit is never there; and what an owner has finished is committed when it gives the partition up in order.
 */
import type { AnomalyReport } from './anomaly.ts';
import type { CheckRules } from './check-options.ts';
import type { HistoryEvent } from './history-event.ts';
import type { GroupPartition, HistoryIndex, Ownership } from './history-index.ts';
import { lastWordOf, releaseOf } from './ownership-end.ts';
import type { Losses } from './losses.ts';
import { eventsOf, isFailed, okOf } from './pair-operations.ts';

/** Between `fromMs` and `toMs` the committed offset was `value`. */
interface Reading {
  readonly value: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly events: readonly HistoryEvent[];
}

/** The committed offset was set to `value`, back or forth, at some time in between. */
interface Setting {
  readonly value: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** `commit-regression` (A6): a committed offset below one that was acknowledged before; without a seek or a reset. */
export function checkCommitRegressions(index: HistoryIndex, report: AnomalyReport): void {
  for (const at of index.groups.values()) {
    const settings = settingsOf(at);
    const readings = readingsOf(at).filter(
      ({ fromMs, toMs }) => !index.losses.all.some((loss) => loss.beginMs <= toMs && loss.endMs >= fromMs),
    );
    let highest = null as Reading | null;
    for (const step of inOrderOfTime(readings, settings, index.losses)) {
      switch (step.type) {
        case 'forget':
          highest = null;
          break;
        case 'set':
          if (highest !== null && highest.value > step.value) highest = { ...highest, value: step.value };
          break;
        case 'learn':
          if (highest === null || step.reading.value > highest.value) highest = step.reading;
          break;
        case 'look': {
          const [before, after] = [highest, step.reading];
          if (before === null || before.value <= after.value) break;
          report.add(
            'commit-regression',
            [...before.events, ...after.events],
            () =>
              `group ${at.group} had committed ${before.value} of ${at.topic}/${at.p}, and later it was ${after.value}`,
          );
          break;
        }
        default:
          step satisfies never;
      }
    }
  }
}

type Step =
  | { readonly type: 'forget'; readonly atMs: number }
  | { readonly type: 'set'; readonly atMs: number; readonly value: number }
  | { readonly type: 'look' | 'learn'; readonly atMs: number; readonly reading: Reading };

const STEP_ORDER = { forget: 0, look: 1, set: 2, learn: 3 } as const;

/** A reading is compared with what was known before it began, and is known when it has ended. */
function inOrderOfTime(readings: readonly Reading[], settings: readonly Setting[], losses: Losses): Step[] {
  const steps: Step[] = losses.all.map(({ beginMs }) => ({ type: 'forget', atMs: beginMs }));
  for (const { value, fromMs } of settings) steps.push({ type: 'set', atMs: fromMs, value });
  for (const reading of readings) {
    steps.push({ type: 'look', atMs: reading.fromMs, reading });
    // What was set meanwhile may already be set in the end.
    const overlapping = settings.filter(
      ({ fromMs, toMs }) => fromMs <= reading.toMs && toMs >= reading.fromMs,
    );
    const value = Math.min(reading.value, ...overlapping.map((setting) => setting.value));
    steps.push({ type: 'learn', atMs: reading.toMs, reading: { ...reading, value } });
  }
  return steps.sort((a, b) => a.atMs - b.atMs || STEP_ORDER[a.type] - STEP_ORDER[b.type]);
}

function readingsOf(at: GroupPartition): Reading[] {
  const readings: Reading[] = [];
  for (const { operation } of at.commits) {
    const ok = okOf(operation);
    if (ok === null || ok.status !== 'COMMITTED') continue;
    const { tMonoMs: fromMs, offset } = operation.invoke;
    const value = ok.committed ?? offset;
    readings.push({ value, fromMs, toMs: ok.tMonoMs, events: eventsOf(operation) });
  }
  for (const { acquire, invoke, ok } of at.ownerships) {
    const value = ok.reset === null ? ok.committed : ok.reset.from;
    // Nothing was committed yet.
    if (value === null) continue;
    readings.push({ value, fromMs: invoke.tMonoMs, toMs: ok.tMonoMs, events: eventsOf(acquire) });
  }
  if (at.finalCommitted !== null) {
    const { tMonoMs, committed } = at.finalCommitted;
    readings.push({ value: committed, fromMs: tMonoMs, toMs: tMonoMs, events: [at.finalCommitted] });
  }
  return readings;
}

function settingsOf(at: GroupPartition): Setting[] {
  const settings: Setting[] = [];
  for (const seek of at.seeks) {
    if (isFailed(seek)) continue;
    const ok = okOf(seek);
    if (ok !== null && ok.committed === undefined) continue;
    // Without an answer it may be executed until a newer owner has fenced it.
    const fenced = at.ownerships.find((later) => later.ok.epoch > seek.invoke.epoch);
    const toMs = ok?.tMonoMs ?? fenced?.ok.tMonoMs ?? Number.POSITIVE_INFINITY;
    settings.push({ value: seek.invoke.offset, fromMs: seek.invoke.tMonoMs, toMs });
  }
  for (const { invoke, ok } of at.ownerships) {
    if (ok.reset === null) continue;
    settings.push({ value: ok.committed, fromMs: invoke.tMonoMs, toMs: ok.tMonoMs });
  }
  return settings;
}

/** `handover-skip` (A3): an ownership begins behind everything that anybody has tried to commit. */
export function checkHandoverCommits(index: HistoryIndex, report: AnomalyReport): void {
  for (const at of index.groups.values()) {
    const attempts = attemptsOf(at);
    let next = 0;
    let highest: Attempt | null = null;
    for (const { acquire, ok } of at.ownerships) {
      for (let attempt = attempts[next]; attempt !== undefined; attempt = attempts[++next]) {
        if (attempt.atMs >= ok.tMonoMs) break;
        if (highest === null || attempt.value > highest.value) highest = attempt;
      }
      const found = ok.reset === null ? ok.committed : ok.reset.from;
      const most = highest;
      if (most === null || found === null || found <= most.value) continue;
      report.add(
        'handover-skip',
        [...most.events, ...eventsOf(acquire)],
        () =>
          `epoch ${ok.epoch} of ${at.topic}/${at.p} in group ${at.group} found ${found} committed, and nobody had asked for more than ${most.value}`,
      );
    }
  }
}

interface Attempt {
  readonly value: number;
  readonly atMs: number;
  readonly events: readonly HistoryEvent[];
}

function attemptsOf(at: GroupPartition): Attempt[] {
  const attempts: Attempt[] = [];
  for (const { operation } of at.commits) {
    const ok = okOf(operation);
    if (isFailed(operation) || (ok !== null && ok.status !== 'COMMITTED')) continue;
    const { offset, tMonoMs } = operation.invoke;
    attempts.push({ value: offset, atMs: tMonoMs, events: [operation.invoke] });
  }
  for (const seek of at.seeks) {
    attempts.push({ value: seek.invoke.offset, atMs: seek.invoke.tMonoMs, events: [seek.invoke] });
  }
  for (const { acquire, ok } of at.ownerships) {
    attempts.push({ value: ok.committed, atMs: ok.tMonoMs, events: eventsOf(acquire) });
  }
  return attempts.sort((a, b) => a.atMs - b.atMs);
}

/**
 * `excess-redelivery` (A4): what an owner had finished when it released the partition in order is delivered again,
 * although none of its commits failed.
 */
export function checkOrderlyReleases(index: HistoryIndex, rules: CheckRules, report: AnomalyReport): void {
  for (const at of index.groups.values()) {
    if (!rules.commitsByItself(at.group)) continue;
    const byEpoch = [...at.ownerships].sort((a, b) => a.ok.epoch - b.ok.epoch);
    for (const [position, ownership] of byEpoch.entries()) {
      const heir = byEpoch[position + 1];
      if (heir !== undefined) checkRelease(index, at, ownership, heir, report);
    }
  }
}

function checkRelease(
  index: HistoryIndex,
  at: GroupPartition,
  ownership: Ownership,
  heir: Ownership,
  report: AnomalyReport,
): void {
  const { events } = ownership;
  const released = releaseOf(ownership);
  if (released === null || heir.ok.reset !== null || events.some(({ f }) => f === 'seek')) return;
  if (index.losses.isBetween(ownership.invoke.tMonoMs, heir.ok.tMonoMs)) return;
  const offset = heir.ok.committed;
  const begun = events.find(
    (event) => event.f === 'deliver' && event.type === 'invoke' && event.offset === offset,
  );
  if (begun === undefined || !('id' in begun)) return;
  const finished = events.find(
    (event) => event.f === 'deliver' && event.type === 'ok' && event.id === begun.id,
  );
  // What a handler that overran the time to drain finishes afterwards comes too late for the last commit.
  const lastWord = lastWordOf(ownership) ?? released.asked;
  if (finished === undefined || finished.i > lastWord.i) return;
  const hasTried = events.some(
    (event) =>
      event.f === 'commit' && event.type === 'invoke' && event.offset > offset && event.i < released.asked.i,
  );
  if (hasTried) return;
  report.add(
    'excess-redelivery',
    [
      ...eventsOf(ownership.acquire),
      begun,
      finished,
      released.asked,
      released.answered,
      ...eventsOf(heir.acquire),
    ],
    () =>
      `${ownership.invoke.member} had finished ${offset} of ${at.topic}/${at.p} in group ${at.group} and released the partition, ` +
      `and ${heir.invoke.member} was told to begin at ${offset}`,
  );
}
