/**
 * Judges a history: everything that must never happen, by name, each with the shortest piece of history that shows it.
 *
 * The definitions are those of Jepsen's Kafka workload where it has one, made stricter because offsets are dense here,
 * and more, because a group's history says who owned what when: across a change of owner Jepsen allows skips and
 * repetitions, and that is where a group goes wrong. Only real-time order is used that the events prove: what overlaps in
 * time may have happened in either order, and what has no outcome may have happened or not.
 */
import { AnomalyReport, type Anomaly } from './anomaly.ts';
import { checkCommitPositions, checkCommitsBeyondEnd, checkStaleCommits } from './check-commits.ts';
import {
  checkCommitRegressions,
  checkHandoverCommits,
  checkOrderlyReleases,
} from './check-committed-offsets.ts';
import { checkDeliveryOrder } from './check-delivery-order.ts';
import { checkEpochs } from './check-epochs.ts';
import { checkLeaders } from './check-leaders.ts';
import { checkLostRecords } from './check-lost-records.ts';
import { checkAbortedReads, checkGaps, checkOffsets, checkSendOrder } from './check-offsets.ts';
import { resolveRules, type CheckOptions } from './check-options.ts';
import { checkUnownedDeliveries, checkZombies } from './check-owners.ts';
import { checkUnseen } from './check-unseen.ts';
import { countDeliveries } from './count-deliveries.ts';
import type { HistoryEvent } from './history-event.ts';
import { indexHistory } from './history-index.ts';
import { measureResume, type ResumeMeasure } from './measure-resume.ts';
import { mergeHistories } from './read-histories.ts';

export interface HistoryVerdict extends ResumeMeasure {
  /** Empty when nothing is wrong. */
  readonly anomalies: readonly Anomaly[];
  readonly counts: {
    /** Sends that were acknowledged. */
    readonly acked: number;
    /** Handler calls that finished. */
    readonly delivered: number;
    /** Handler calls for a record that an earlier ownership of the group had begun with. */
    readonly redelivered: number;
  };
}

/** Events of all processes, in any order. Throws when two sends have the same value. */
export function checkHistory(events: readonly HistoryEvent[], options: CheckOptions = {}): HistoryVerdict {
  const rules = resolveRules(options);
  const index = indexHistory(mergeHistories(events));
  const report = new AnomalyReport();
  checkOffsets(index, report);
  checkGaps(index, report);
  checkSendOrder(index, report);
  checkAbortedReads(index, report);
  checkLostRecords(index, report);
  checkUnseen(index, rules, report);
  checkDeliveryOrder(index, rules, report);
  checkHandoverCommits(index, report);
  checkOrderlyReleases(index, rules, report);
  checkStaleCommits(index, report);
  checkCommitRegressions(index, report);
  checkCommitsBeyondEnd(index, report);
  checkCommitPositions(index, rules, report);
  checkEpochs(index, report);
  checkLeaders(index, report);
  checkZombies(index, rules, report);
  checkUnownedDeliveries(index, report);
  const resume = measureResume(index, rules, report);
  return {
    anomalies: report.anomalies(),
    counts: { acked: index.ackedCount, ...countDeliveries(index) },
    ...resume,
  };
}
