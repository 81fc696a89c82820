/**
 * Judges a run by what the sink wrote down: every record that was applied, by whom, under which epoch, when. Pure. It
 * knows nothing of how the product works, so that the product cannot talk it into a good verdict.
 */
import { compareTrees, displayPath } from '../history/change.ts';
import type { Evidence, PartitionHistory } from './evidence.ts';
import { measureResumes } from './resume.ts';
import { longestStandstillMs } from './standstill.ts';

export interface Verdict {
  /** Records in the log that were never applied, and changes that never got into the log. */
  readonly lost: number;
  /** Applications beyond the first one of each record. */
  readonly redelivered: number;
  readonly outOfOrder: number;
  readonly refusedWrites: number;
  readonly treeMatches: boolean;
  /** True when every change was acknowledged and stands in the log once. */
  readonly complete: boolean;
  /** Null when no killed worker left a partition with work behind. */
  readonly resumeMs: { readonly p50: number; readonly max: number } | null;
  /** How many partitions of killed workers `resumeMs` was measured on. */
  readonly resumed: number;
  /** The longest that any partition with work waiting stood still; nobody need have been killed for it. */
  readonly standstillMs: number;
  /** The first few findings, in words. */
  readonly findings: readonly string[];
}

/** Keeps the first few: a run that goes wrong can go wrong a million times. */
class Findings {
  readonly shown: string[] = [];

  add(finding: string): void {
    if (this.shown.length < 10) this.shown.push(finding);
  }
}

export function judge(evidence: Evidence): Verdict {
  const findings = new Findings();
  let lost = 0;
  let redelivered = 0;
  let outOfOrder = 0;
  for (const history of evidence.partitions) {
    const count = countApplications(history, findings);
    lost += count.lost;
    redelivered += count.redelivered;
    outOfOrder += findDisorder(history, findings);
  }
  const logged = sum(evidence.partitions.map(({ logEnd }) => logEnd));
  const complete = logged === evidence.changes && evidence.acknowledged === evidence.changes;
  if (!complete) {
    findings.add(
      `${evidence.changes} changes were sent, ${evidence.acknowledged} acknowledged, and ${logged} stand in the log`,
    );
    lost += Math.max(0, evidence.changes - logged);
  }
  const differences = compareTrees(evidence.expectedTree, evidence.actualTree);
  for (const { path, expected, actual } of differences) {
    findings.add(
      `${displayPath(path)}: git has ${expected ?? 'nothing'}, the workers have ${actual ?? 'nothing'}`,
    );
  }
  const resumes = measureResumes(evidence.partitions, evidence.kills);
  return {
    lost,
    redelivered,
    outOfOrder,
    refusedWrites: sum(evidence.partitions.map(({ refused }) => refused)),
    treeMatches: differences.length === 0,
    complete,
    resumeMs: resumes.length === 0 ? null : { p50: median(resumes), max: resumes.at(-1) ?? 0 },
    resumed: resumes.length,
    standstillMs: longestStandstillMs(evidence.partitions),
    findings: findings.shown,
  };
}

function countApplications(
  history: PartitionHistory,
  findings: Findings,
): { lost: number; redelivered: number } {
  const applications = new Uint32Array(history.logEnd);
  for (const entry of history.entries) {
    // An offset beyond the log is reported as disorder; it redeems no record.
    if (entry.type === 'applied' && entry.offset < history.logEnd) {
      applications[entry.offset] = (applications[entry.offset] ?? 0) + 1;
    }
  }
  let lost = 0;
  let redelivered = 0;
  for (const [offset, times] of applications.entries()) {
    if (times === 0) {
      lost += 1;
      findings.add(`partition ${history.partition}: the record at offset ${offset} was never applied`);
    } else {
      redelivered += times - 1;
    }
  }
  return { lost, redelivered };
}

/**
 * Within an epoch one worker applies offset after offset; a new epoch begins no further than where the log was done;
 * an epoch never comes back. Each step that breaks a rule counts once.
 */
function findDisorder({ partition, entries, logEnd }: PartitionHistory, findings: Findings): number {
  let disorder = 0;
  let epoch = -1;
  let worker = '';
  /** Offset that must come next in this epoch; undefined before its first record. */
  let next: number | undefined;
  /** Offset after the highest applied so far, over all epochs. */
  let reached = 0;
  const report = (what: string): void => {
    disorder += 1;
    findings.add(`partition ${partition}: ${what}`);
  };
  for (const entry of entries) {
    if (entry.epoch < epoch) {
      report(`${entry.worker} wrote under epoch ${entry.epoch} after epoch ${epoch} had begun`);
      continue;
    }
    if (entry.epoch > epoch) {
      ({ epoch, worker } = entry);
      next = undefined;
    } else if (entry.worker !== worker) {
      report(`${worker} and ${entry.worker} both wrote under epoch ${epoch}`);
      worker = entry.worker;
    }
    if (entry.type === 'opened') continue;
    if (entry.offset >= logEnd) {
      report(`offset ${entry.offset} was applied, but the log ends at ${logEnd}`);
    } else if (next === undefined && entry.offset > reached) {
      report(
        `epoch ${epoch} begins at offset ${entry.offset}, but only those below ${reached} had been applied`,
      );
    } else if (next !== undefined && entry.offset !== next) {
      report(`offset ${entry.offset} came where ${next} was due in epoch ${epoch}`);
    }
    next = entry.offset + 1;
    reached = Math.max(reached, next);
  }
  return disorder;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Of numbers in rising order. */
function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}
