/** Who may commit, and what: only the current owner, and nothing that is not done or not there. */
import type { AnomalyReport } from './anomaly.ts';
import type { CheckRules } from './check-options.ts';
import { FinishedRecords } from './finished-records.ts';
import type { Commit, GroupPartition, HistoryIndex, Ownership } from './history-index.ts';
import { releaseOf } from './ownership-end.ts';
import { eventsOf, okOf } from './pair-operations.ts';
import { sliceLog } from './slice-log.ts';

/**
 * `stale-commit-accepted` (A5): accepted although a newer ownership had been granted, or this one released, before it was
 * sent; or accepted with an answer that only a newer ownership's commit explains, so executed after that one. `unowned-commit`: accepted under an epoch and nonce that no acquire returned together.
 */
export function checkStaleCommits(index: HistoryIndex, report: AnomalyReport): void {
  for (const at of index.groups.values()) {
    const newest = newestByTime(at.ownerships);
    const releases = new Map<Ownership, ReturnType<typeof releaseOf>>();
    for (const commit of at.commits) {
      const { operation, ownership } = commit;
      const ok = okOf(operation);
      const { invoke } = operation;
      if (ok === null || ok.status !== 'COMMITTED') continue;
      const where = `${at.topic}/${at.p} in group ${at.group}`;
      if (ownership === null) {
        report.add(
          'unowned-commit',
          [invoke, ok],
          () =>
            `a commit of ${where} was accepted under epoch ${invoke.epoch}, which was never acquired with this nonce`,
        );
      }
      const newer = newest(invoke.tMonoMs);
      const isTwin =
        newer !== null && ownership !== null && newer.ok.epoch === invoke.epoch && newer !== ownership;
      if (newer !== null && (newer.ok.epoch > invoke.epoch || isTwin)) {
        // On both sides of a split each server accepts its own owner's commits until one side is thrown away.
        if (index.losses.isBetween(newer.invoke.tMonoMs, ok.tMonoMs)) continue;
        // Under one epoch only the two acquires show that it is not one ownership.
        const own = isTwin ? eventsOf(ownership.acquire) : [];
        report.add(
          'stale-commit-accepted',
          [...own, newer.invoke, newer.ok, invoke, ok],
          () =>
            `a commit of ${where} was accepted under epoch ${invoke.epoch}, when ${newer.invoke.member} owned it under epoch ${newer.ok.epoch}`,
        );
      } else if (ok.committed !== undefined && isExplainedByNewerOnly(at, commit, ok.committed)) {
        if (index.losses.isBetween(invoke.tMonoMs, ok.tMonoMs)) continue;
        const { epoch } = invoke;
        const newerCommit = at.commits.find(
          ({ operation: other }) => other.invoke.epoch > epoch && other.invoke.offset === ok.committed,
        );
        if (newerCommit === undefined) continue;
        report.add(
          'stale-commit-accepted',
          [newerCommit.operation.invoke, invoke, ok],
          () =>
            `a commit of ${where} was accepted under epoch ${epoch} and answered with ${ok.committed}, ` +
            `which epoch ${newerCommit.operation.invoke.epoch} had committed before it was executed`,
        );
      } else if (ownership !== null) {
        let release = releases.get(ownership);
        if (release === undefined) releases.set(ownership, (release = releaseOf(ownership)));
        reportAfterRelease(commit, ownership, release, where, report);
      }
    }
  }
}

/** The stored offset went further than this ownership and all before it have ever asked for. */
function isExplainedByNewerOnly(at: GroupPartition, { operation }: Commit, committed: number): boolean {
  const { epoch, offset } = operation.invoke;
  if (committed <= offset) return false;
  const isOlder = (other: { readonly epoch: number }): boolean => other.epoch <= epoch;
  return (
    !at.ownerships.some(({ ok }) => isOlder(ok) && ok.committed >= committed) &&
    !at.commits.some(({ operation: { invoke } }) => isOlder(invoke) && invoke.offset >= committed) &&
    !at.seeks.some(({ invoke }) => isOlder(invoke) && invoke.offset >= committed)
  );
}

function reportAfterRelease(
  { operation }: Commit,
  ownership: Ownership,
  release: ReturnType<typeof releaseOf>,
  where: string,
  report: AnomalyReport,
): void {
  if (release === null || release.answered.i > operation.invoke.i) return;
  report.add(
    'stale-commit-accepted',
    [ownership.invoke, ownership.ok, release.asked, release.answered, ...eventsOf(operation)],
    () =>
      `a commit of ${where} was accepted under epoch ${ownership.ok.epoch} after that epoch had been released`,
  );
}

/** Answers, for a time, who was granted the highest epoch before it; the last of them where it was granted twice. */
function newestByTime(ownerships: readonly Ownership[]): (atMs: number) => Ownership | null {
  const newest: Ownership[] = [];
  for (const ownership of ownerships) {
    const before = newest.at(-1);
    newest.push(before !== undefined && before.ok.epoch > ownership.ok.epoch ? before : ownership);
  }
  return (atMs) => {
    let [low, high] = [0, ownerships.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const ownership = ownerships[middle];
      if (ownership !== undefined && ownership.ok.tMonoMs < atMs) low = middle + 1;
      else high = middle;
    }
    return newest[low - 1] ?? null;
  };
}

/**
 * `commit-beyond-position` (A7): a commit was sent for a record that this ownership had not finished. Not where records
 * are committed first (at most once); where the application commits, a record is as good as done when it was delivered.
 */
export function checkCommitPositions(index: HistoryIndex, rules: CheckRules, report: AnomalyReport): void {
  for (const { group, ownerships } of index.groups.values()) {
    if (rules.isAtMostOnce(group)) continue;
    const countsBegun = !rules.commitsByItself(group);
    for (const ownership of ownerships) {
      const done = new FinishedRecords(ownership.ok.committed, countsBegun);
      for (const event of ownership.events) {
        if (event.f === 'commit' && event.type === 'invoke' && event.offset > done.position) {
          const { position } = done;
          report.add(
            'commit-beyond-position',
            [ownership.invoke, ownership.ok, event],
            () =>
              `offset ${event.offset} of ${event.topic}/${event.p} was committed in group ${group} under epoch ${event.epoch}, ` +
              `whose handlers had finished everything before ${position} and not the record at ${position}`,
          );
        }
        done.note(event);
      }
    }
  }
}

/** `commit-beyond-hw` (A7): a committed offset beyond the end of the log. */
export function checkCommitsBeyondEnd(index: HistoryIndex, report: AnomalyReport): void {
  for (const at of index.groups.values()) {
    checkAcquired(index, at, report);
    const partition = index.partitions.get(`${at.topic}/${at.p}`);
    const finalLog = partition?.finalLog;
    if (partition === undefined || finalLog === null || finalLog === undefined) continue;
    const { finalCommitted } = at;
    if (finalCommitted !== null && finalCommitted.committed > finalLog.logEnd) {
      report.add(
        'commit-beyond-hw',
        [sliceLog(finalLog, []), finalCommitted],
        () =>
          `group ${at.group} has committed ${finalCommitted.committed} of ${at.topic}/${at.p}, which ends at ${finalLog.logEnd}`,
      );
    }
    // A log that lost its tail was longer: as long as what is known to have been in it.
    let longest = finalLog.logEnd;
    for (const { ok } of partition.sends) longest = Math.max(longest, ok.offset + 1);
    for (const { invoke } of partition.deliveries) longest = Math.max(longest, invoke.offset + 1);
    for (const { operation } of at.commits) {
      const ok = okOf(operation);
      const { invoke } = operation;
      if (ok === null || ok.status !== 'COMMITTED' || invoke.offset <= longest) continue;
      if (index.losses.isBetween(invoke.tMonoMs, finalLog.tMonoMs)) continue;
      report.add(
        'commit-beyond-hw',
        [invoke, ok, sliceLog(finalLog, [])],
        () =>
          `offset ${invoke.offset} of ${at.topic}/${at.p} was committed in group ${at.group}; the log never went beyond ${longest}`,
      );
    }
  }
}

/** Committed offset and log end are read in one step: here no order of events can be an excuse. */
function checkAcquired(index: HistoryIndex, at: GroupPartition, report: AnomalyReport): void {
  for (const { invoke, ok } of at.ownerships) {
    const { reset, logEnd } = ok;
    const committed = Math.max(ok.committed, reset?.from ?? 0);
    if (committed <= logEnd) continue;
    if (ok.committed <= logEnd && index.losses.isBetween(Number.NEGATIVE_INFINITY, ok.tMonoMs)) continue;
    report.add(
      'commit-beyond-hw',
      [invoke, ok],
      () =>
        `${invoke.member} acquired ${at.topic}/${at.p} in group ${at.group}: committed ${committed}, log end ${logEnd}`,
    );
  }
}
