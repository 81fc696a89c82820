/** The result as text for a terminal. Pure. */
import { figure, ratioText } from './figures.ts';
import { isReached, type BenchResult } from './result.ts';
import { targetText, type BenchRow, type Verdict } from './row.ts';

export interface TableOptions {
  readonly colours: boolean;
}

const COLOURS: Readonly<Record<Verdict, number>> = { pass: 32, miss: 31, failed: 31, 'not available': 33 };
const HEADINGS = ['', 'ratio', 'target', '', 'medians'];

export function renderTable(result: BenchResult, { colours }: TableOptions): string {
  const cells = result.rows.map((row) => [
    row.measure,
    ratioText(row.ratio),
    targetText(row.target),
    row.verdict,
    mediansText(row),
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const lines = [HEADINGS, ...cells].map((line, index) => {
    const padded = line.map((cell, column) => {
      const width = widths[column] ?? 0;
      if (column === 1 || column === 2) return cell.padStart(width);
      return column === line.length - 1 ? cell : cell.padEnd(width);
    });
    const verdict = result.rows[index - 1]?.verdict;
    if (colours && verdict !== undefined)
      padded[3] = `\u001B[${COLOURS[verdict]}m${padded[3] ?? ''}\u001B[0m`;
    return padded.join('  ').trimEnd();
  });
  const notes = result.rows.filter(({ note, verdict }) => note !== null && verdict !== 'pass');
  return [
    ...lines,
    '',
    ...notes.map(({ measure, verdict, note }) => `${measure}: ${verdict}: ${note ?? ''}`),
    ...(notes.length > 0 ? [''] : []),
    summaryText(result),
    machineText(result),
    '',
  ].join('\n');
}

export function mediansText({ medians, unit }: BenchRow): string {
  const texts = Object.entries(medians).map(([side, value]) => `${side} ${figure(value)}`);
  return texts.length === 0 ? '' : `${texts.join(', ')} ${unit}`;
}

export function machineText({ machine, rounds, scale, seconds }: BenchResult): string {
  const { cores, cpu, memoryGiB, os, node, redis } = machine;
  const scaled = scale === 1 ? '' : ` Scale ${scale}: the figures mean nothing.`;
  return `${cores} cores (${cpu}), ${memoryGiB} GiB, ${os}, Node ${node}, ${redis}; medians of ${rounds} rounds, ${Math.round(seconds)} s.${scaled}`;
}

function summaryText(result: BenchResult): string {
  const count = (wanted: Verdict): number => result.rows.filter(({ verdict }) => verdict === wanted).length;
  const parts = [`${count('pass')} of ${result.rows.length} rows reach their targets`];
  for (const verdict of ['miss', 'failed', 'not available'] as const)
    if (count(verdict) > 0) parts.push(`${count(verdict)} ${verdict}`);
  return `${parts.join(', ')}${isReached(result) ? '.' : ': not reached.'}`;
}
