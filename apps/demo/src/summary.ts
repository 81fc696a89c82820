/** What a run came to: as one object for programs, and in words that need no knowledge of the subject. Pure. */
import type { RunResult } from './run/run-demo.ts';
import type { Paint } from './view/render-frame.ts';
import { format } from './view/render-frame.ts';

export interface RunFacts {
  readonly records: number;
  readonly workers: number;
  readonly partitions: number;
  /** As asked for. */
  readonly kill: number;
  /** Entries of git's tree. */
  readonly files: number;
}

/** The object that `--json` prints. */
export interface Summary {
  readonly records: number;
  readonly partitions: number;
  readonly workers: number;
  readonly killed: number;
  readonly lost: number;
  readonly redelivered: number;
  readonly outOfOrder: number;
  readonly staleCommitsRefused: number;
  /** Null where no killed worker left work behind. */
  readonly resumeMs: { readonly p50: number | null; readonly max: number | null };
  readonly treeMatches: boolean;
  readonly seconds: number;
}

export function summarize({ records, partitions, workers }: RunFacts, result: RunResult): Summary {
  const { lost, redelivered, outOfOrder, treeMatches, resumeMs } = result.verdict;
  return {
    records,
    partitions,
    workers,
    killed: result.killed,
    lost,
    redelivered,
    outOfOrder,
    staleCommitsRefused: result.staleCommitsRefused,
    resumeMs: {
      p50: resumeMs === null ? null : Math.round(resumeMs.p50),
      max: resumeMs === null ? null : Math.round(resumeMs.max),
    },
    treeMatches,
    seconds: Math.round(result.seconds * 10) / 10,
  };
}

/** Nothing lost, nothing out of order, the same tree; and everything was sent and every kill really happened. */
export function isGood({ kill }: RunFacts, { verdict, killed, failed }: RunResult): boolean {
  const { lost, outOfOrder, treeMatches, complete } = verdict;
  return lost === 0 && outOfOrder === 0 && treeMatches && complete && killed === kill && failed === 0;
}

export function describeResult(facts: RunFacts, result: RunResult, paint: Paint): string {
  const { verdict } = result;
  const good = (isTrue: boolean, text: string): string =>
    `${paint(isTrue ? 'green' : 'red', isTrue ? '✓' : '✗')} ${text}`;
  const lines = [
    `${count(facts.records, 'change')} went through ${count(facts.partitions, 'partition')} to ${facts.workers} workers.`,
    `${killedText(result.killed)}; one left in order.`,
    '',
    good(verdict.lost === 0, verdict.lost === 0 ? 'nothing lost' : `${count(verdict.lost, 'change')} LOST`),
    good(
      verdict.outOfOrder === 0,
      verdict.outOfOrder === 0
        ? 'nothing out of order: the changes of every file came one after the other'
        : `${count(verdict.outOfOrder, 'step')} OUT OF ORDER`,
    ),
    good(true, repeatedText(verdict.redelivered)),
    ...(result.staleCommitsRefused > 0
      ? [good(true, `${count(result.staleCommitsRefused, 'late write')} of former owners refused`)]
      : []),
    ...resumeLines(verdict, good),
    good(
      true,
      `no partition with work stood still for longer than ${format(Math.round(verdict.standstillMs))} ms`,
    ),
    good(
      verdict.treeMatches,
      verdict.treeMatches
        ? `tree equals git ls-tree: yes, all ${count(facts.files, 'file')}`
        : 'tree equals git ls-tree: NO',
    ),
    ...(verdict.complete ? [] : [good(false, 'not every change stands in the log exactly once')]),
    ...(result.killed === facts.kill
      ? []
      : [good(false, `only ${result.killed} of ${facts.kill} were killed`)]),
    ...(result.failed === 0
      ? []
      : [good(false, `${count(result.failed, 'worker')} ended without being asked to`)]),
    ...verdict.findings.map((finding) => `    ${finding}`),
    '',
    isGood(facts, result)
      ? paint(['green', 'bold'], `All is well, after ${result.seconds.toFixed(1)} seconds.`)
      : paint(['red', 'bold'], 'Something went wrong. This must not happen: please report it.'),
  ];
  return lines.join('\n');
}

function killedText(killed: number): string {
  if (killed === 0) return 'None of them was killed';
  return killed === 1
    ? 'One of them, the leader, was killed without warning'
    : `${killed} of them were killed without warning, the leader first`;
}

function repeatedText(redelivered: number): string {
  if (redelivered === 0) return 'nothing done twice';
  return `${count(redelivered, 'change')} done twice: killed workers had done them and not yet said so`;
}

function resumeLines(
  { resumeMs, resumed }: RunResult['verdict'],
  good: (isTrue: boolean, text: string) => string,
): string[] {
  if (resumeMs === null) return [];
  const [p50, max] = [Math.round(resumeMs.p50), Math.round(resumeMs.max)];
  const text = `survivors took over within ${p50} ms (median), ${max} ms at most (${count(resumed, 'partition')})`;
  return [good(true, text)];
}

function count(number: number, noun: string): string {
  return `${format(number)} ${noun}${number === 1 ? '' : 's'}`;
}
