/** What came of one row. */
import type { TopologyName } from '../fault.ts';

/** The last line of `--json`. */
export interface VerdictLine {
  readonly topology: TopologyName;
  readonly fault: string;
  readonly seed: number;
  readonly acked: number;
  readonly delivered: number;
  readonly redelivered: number;
  readonly anomalies: Readonly<Record<string, number>>;
  readonly resumeMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  readonly secondsUnowned: number;
}

export interface Verdict {
  readonly line: VerdictLine;
  /** One paragraph per anomaly: what it is, and the shortest piece of history that shows it. */
  readonly findings: readonly string[];
  /** Where the history is. */
  readonly directory: string;
  readonly seconds: number;
}

export function isClean({ line }: Verdict): boolean {
  return Object.keys(line.anomalies).length === 0;
}
