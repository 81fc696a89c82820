/** Verdicts as people read them. */
import { isClean, type Verdict } from './verdict.ts';

const COLUMNS = [8, 24, 4, 7, 9, 11, 22, 8, 7] as const;

export const HEADER = row([
  'topology',
  'fault',
  'seed',
  'acked',
  'delivered',
  'redelivered',
  'resume p50/p99/max ms',
  'unowned',
  'seconds',
  'anomalies',
]);

export function describeVerdict({ line, seconds }: Verdict): string {
  const { topology, fault, seed, acked, delivered, redelivered, resumeMs, secondsUnowned, anomalies } = line;
  const resume =
    resumeMs === null
      ? '-'
      : [resumeMs.p50, resumeMs.p99, resumeMs.max].map((ms) => Math.round(ms)).join('/');
  const names = Object.entries(anomalies).map(([name, count]) => `${name} ${count}`);
  return row([
    topology,
    fault,
    String(seed),
    String(acked),
    String(delivered),
    String(redelivered),
    resume,
    `${secondsUnowned.toFixed(1)} s`,
    seconds.toFixed(1),
    names.length === 0 ? '0' : names.join(', '),
  ]);
}

/** Nothing when there is nothing to tell. */
export function describeFindings(verdict: Verdict): string[] {
  if (isClean(verdict)) return [];
  return [...verdict.findings.map((finding) => `  ${finding}`), `  history: ${verdict.directory}`];
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padEnd(COLUMNS[index] ?? 0)).join('  ');
}
