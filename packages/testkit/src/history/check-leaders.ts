/**
 * Who may publish: being the leader is not exclusive in time, but what a former leader publishes must be refused as soon
 * as another one was elected.
 */
import type { AnomalyReport } from './anomaly.ts';
import type { HistoryIndex } from './history-index.ts';
import { okOf, type Operation } from './pair-operations.ts';

/** `stale-publish-accepted`: an assignment was accepted from a leader after its successor had been elected. */
export function checkLeaders(index: HistoryIndex, report: AnomalyReport): void {
  for (const publication of index.publications) {
    const { invoke } = publication;
    const ok = okOf(publication);
    if (ok === null || ok.status !== 'OK') continue;
    const successor = index.elections.find((election) => isSuccessor(index, election, publication));
    const elected = successor === undefined ? null : okOf(successor);
    if (successor === undefined || elected === null) continue;
    report.add(
      'stale-publish-accepted',
      [successor.invoke, elected, invoke, ok],
      () =>
        `an assignment of group ${invoke.group} was accepted under leader epoch ${invoke.leaderEpoch}, ` +
        `when ${successor.invoke.member} had been elected under ${elected.leaderEpoch}`,
    );
  }
}

function isSuccessor(
  index: HistoryIndex,
  election: Operation<'elect'>,
  publication: Operation<'publish'>,
): boolean {
  const elected = okOf(election);
  const { invoke, end } = publication;
  if (elected === null || end === null || election.invoke.group !== invoke.group) return false;
  if (elected.leaderEpoch <= invoke.leaderEpoch || elected.tMonoMs >= invoke.tMonoMs) return false;
  // A failover may have taken the election back.
  return !index.losses.isBetween(election.invoke.tMonoMs, end.tMonoMs);
}
