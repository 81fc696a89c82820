/** The part of docs/performance.md that comes from a result. Pure. */
import { figure, ratioText } from './figures.ts';
import type { BenchResult } from './result.ts';
import { targetText, type BenchRow } from './row.ts';
import { machineText, mediansText } from './table.ts';

const BEGIN = '<!-- bench: written by `pnpm bench --write`; edits are overwritten -->';
const END = '<!-- /bench -->';

/** Throws when the page has no place for it. */
export function replaceSection(page: string, section: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page has no "${BEGIN}" with an "${END}" behind it`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${section.trim()}\n\n${page.slice(end)}`;
}

/** `results`: of one or more runs, one after the other. */
export function renderMarkdown(results: readonly BenchResult[]): string {
  const [shown] = results;
  if (shown === undefined) throw new Error('a page needs a result');
  const runs = results.length;
  const headings = ['', 'ratio', 'to reach', runs === 1 ? '' : `reached in ${runs} runs`, 'medians'];
  const lines = shown.rows.map((row) => [
    row.measure,
    row.ratio === null ? '–' : `**${ratioText(row.ratio)}**`,
    targetText(row.target),
    runs === 1 ? row.verdict : `${results.filter((result) => hasPassed(result, row.id)).length} of ${runs}`,
    mediansText(row),
  ]);
  return [
    `${shown.date}: ${machineText(shown)}${runs === 1 ? '' : ` The first of ${runs} runs, one after the other.`}`,
    '',
    '![Ratios to the peers](performance.svg)',
    '',
    `| ${headings.join(' | ')} |`,
    '|---|---|---|---|---|',
    ...lines.map((line) => `| ${line.map(escapeCell).join(' | ')} |`),
    '',
    ...notes(shown.rows),
    ...costs(shown.rows),
    'Settings:',
    '',
    ...settingsOf(shown.rows),
  ].join('\n');
}

function hasPassed({ rows }: BenchResult, id: string): boolean {
  return rows.find((row) => row.id === id)?.verdict === 'pass';
}

function notes(rows: readonly BenchRow[]): string[] {
  const lines = rows.flatMap(({ measure, note }) => (note === null ? [] : [`- ${measure}: ${note}.`]));
  return lines.length === 0 ? [] : [...lines, ''];
}

/** What a record costs on either side of the connection says which of them is the limit. */
function costs(rows: readonly BenchRow[]): string[] {
  const lines = new Map<string, string>();
  for (const { id, costs } of rows) {
    const row = id.split('/')[0] ?? id;
    for (const [side, { clientUs, redisUs }] of Object.entries(costs))
      lines.set(`${row} ${side}`, `| ${row} | ${side} | ${figure(clientUs)} | ${figure(redisUs)} |`);
  }
  if (lines.size === 0) return [];
  return [
    'Processor time for a record, µs: a process, and Redis, can each use one core.',
    '',
    '| row | side | process | Redis |',
    '|---|---|---|---|',
    ...lines.values(),
    '',
  ];
}

/** Each row's own; what two rows have in common is said once. */
function settingsOf(rows: readonly BenchRow[]): string[] {
  const byText = new Map<string, { readonly side: string; readonly ids: string[] }>();
  for (const { id, settings } of rows) {
    for (const [side, text] of Object.entries(settings)) {
      const known = byText.get(text) ?? { side, ids: [] };
      byText.set(text, known);
      known.ids.push(id);
    }
  }
  return [...byText].map(([text, { side, ids }]) => `- ${side} (${ids.join(', ')}): ${text}.`);
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
