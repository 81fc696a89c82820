/** A row of the result, and what its target says about it. Pure. */
import { median } from '../median.ts';

export type Target = { readonly atLeast: number } | { readonly atMost: number };
/** `failed`: a side did not do the whole job, or broke; there is no figure then. */
export type Verdict = 'pass' | 'miss' | 'not available' | 'failed';

/** Processor time for a record, microseconds: what keeps a side from being faster. */
export interface Cost {
  readonly clientUs: number;
  readonly redisUs: number;
}

/** One comparison: what is measured, against what, and the ratio to reach. Plain data: it is what `--json` prints. */
export interface BenchRow {
  /** `<row>/<against>`. */
  readonly id: string;
  /** What the ratio is of, in words. */
  readonly measure: string;
  readonly against: string;
  readonly target: Target;
  readonly verdict: Verdict;
  /** Null where there is nothing to compare with. */
  readonly ratio: number | null;
  readonly unit: string;
  /** By side, the one that the ratio has above first. */
  readonly medians: Readonly<Record<string, number>>;
  readonly rounds: Readonly<Record<string, readonly number[]>>;
  readonly settings: Readonly<Record<string, string>>;
  /** By side, where one process and Redis share the work. Medians. */
  readonly costs: Readonly<Record<string, Cost>>;
  /** Why it is not available, or what else was measured. */
  readonly note: string | null;
}

export interface Measured {
  readonly name: string;
  readonly values: readonly number[];
}

export interface CompareOptions {
  readonly id: string;
  readonly measure: string;
  readonly unit: string;
  readonly target: Target;
  readonly settings: Readonly<Record<string, string>>;
  readonly costs?: Readonly<Record<string, Cost>>;
  readonly note?: string;
}

/** Of measurements that do not belong together one by one: the ratio of the medians, `above` over `below`. */
export function compare(options: CompareOptions, above: Measured, below: Measured): BenchRow {
  return compared(options, above, below, median(above.values) / median(below.values));
}

/**
 * Of sides that took turns: the median of the rounds' own ratios. A neighbour on the machine who stays for some seconds slows
 * both sides of a round, and the ratio of the medians would set a round that it met against one that it did not.
 */
export function compareTurns(options: CompareOptions, above: Measured, below: Measured): BenchRow {
  if (above.values.length !== below.values.length)
    throw new Error(`${options.id}: ${above.values.length} rounds against ${below.values.length}`);
  return compared(options, above, below, medianRatio(above.values, below.values));
}

/** Of what belongs together one by one. */
export function medianRatio(above: readonly number[], below: readonly number[]): number {
  return median(above.map((value, round) => value / (below[round] ?? Number.NaN)));
}

function compared(options: CompareOptions, above: Measured, below: Measured, ratio: number): BenchRow {
  return {
    ...describe(options),
    against: below.name,
    verdict: reaches(ratio, options.target) ? 'pass' : 'miss',
    ratio,
    medians: { [above.name]: median(above.values), [below.name]: median(below.values) },
    rounds: { [above.name]: above.values, [below.name]: below.values },
  };
}

/** A figure that has a bound of its own: the ratio is the figure. */
export function bound(options: CompareOptions, measured: Measured): BenchRow {
  const value = median(measured.values);
  return {
    ...describe(options),
    against: 'a bound',
    verdict: reaches(value, options.target) ? 'pass' : 'miss',
    ratio: value,
    medians: { [measured.name]: value },
    rounds: { [measured.name]: measured.values },
  };
}

export function withoutFigure(
  options: CompareOptions,
  against: string,
  verdict: 'not available' | 'failed',
  why: string,
): BenchRow {
  return {
    ...describe(options),
    against,
    verdict,
    ratio: null,
    medians: {},
    rounds: {},
    note: why,
  };
}

/** False for NaN, which is what a side without a measurement gives. */
export function reaches(ratio: number, target: Target): boolean {
  return 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

export function targetText(target: Target): string {
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

function describe({ id, measure, unit, target, settings, costs = {}, note = '' }: CompareOptions) {
  return { id, measure, unit, target, settings, costs, note: note === '' ? null : note };
}
