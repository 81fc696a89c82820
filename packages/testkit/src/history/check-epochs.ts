/** What an epoch is worth: no two ownerships share one, and a later ownership has a higher one. */
import type { AnomalyReport } from './anomaly.ts';
import type { GroupPartition, HistoryIndex, Ownership } from './history-index.ts';

/** `duplicate-epoch` (A8) and `epoch-regression` (I3). */
export function checkEpochs(index: HistoryIndex, report: AnomalyReport): void {
  for (const at of index.groups.values()) {
    checkDuplicates(at, report);
    checkOrder(index, at, report);
  }
}

function checkDuplicates(at: GroupPartition, report: AnomalyReport): void {
  const byEpoch = new Map<number, Ownership>();
  for (const ownership of at.ownerships) {
    const { epoch } = ownership.ok;
    const other = byEpoch.get(epoch);
    byEpoch.set(epoch, ownership);
    if (other === undefined) continue;
    report.add(
      'duplicate-epoch',
      [other.invoke, other.ok, ownership.invoke, ownership.ok],
      () =>
        `${other.invoke.member} and ${ownership.invoke.member} were both given epoch ${epoch} of ${at.topic}/${at.p} in group ${at.group}`,
    );
  }
}

function checkOrder(index: HistoryIndex, at: GroupPartition, report: AnomalyReport): void {
  const byInvoke = [...at.ownerships].sort((a, b) => a.invoke.tMonoMs - b.invoke.tMonoMs);
  let answered = 0;
  let highest: Ownership | null = null;
  for (const ownership of byInvoke) {
    for (let next = at.ownerships[answered]; next !== undefined; next = at.ownerships[++answered]) {
      if (next.ok.tMonoMs >= ownership.invoke.tMonoMs) break;
      if (highest === null || next.ok.epoch > highest.ok.epoch) highest = next;
    }
    const before = highest;
    if (before === null || before.ok.epoch <= ownership.ok.epoch) continue;
    // A clock that is behind gives a lower epoch when the higher one is forgotten. The nonce still tells them apart.
    if (index.losses.isBetween(before.invoke.tMonoMs, ownership.ok.tMonoMs)) continue;
    report.add(
      'epoch-regression',
      [before.invoke, before.ok, ownership.invoke, ownership.ok],
      () =>
        `${at.topic}/${at.p} in group ${at.group} was owned under epoch ${before.ok.epoch} and then under ${ownership.ok.epoch}`,
    );
  }
}
