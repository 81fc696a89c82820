/**
 * The result as an SVG: ratios to the peers as bars, the targets as marks. It brings a background of its own and follows
 * the reader's colour scheme, so that it can be read on a light and on a dark page. Pure.
 */
import { PEERS } from '../run/bench.ts';
import { figure } from './figures.ts';
import type { BenchResult } from './result.ts';
import { targetText, type BenchRow } from './row.ts';

interface Panel {
  readonly title: string;
  readonly hint: string;
  readonly rows: readonly BenchRow[];
  /** From a ratio to the share of the width that its bar takes, 0 to 1. */
  readonly scale: (ratio: number) => number;
  readonly ticks: readonly number[];
}

const WIDTH = 860;
const LABEL_WIDTH = 340;
const BAR_LEFT = LABEL_WIDTH + 16;
const BAR_WIDTH = 380;
const ROW_HEIGHT = 42;
const BAR_HEIGHT = 16;
const PANEL_HEAD = 62;
const PANEL_FOOT = 34;
const OTHERS: ReadonlySet<string> = new Set<string>(PEERS);

const STYLE = `
  .page { fill: #ffffff; stroke: #d0d7de; }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .hint, .tick { font-size: 12px; fill: #59636e; }
  .value { font-weight: 600; }
  .grid { stroke: #d0d7de; }
  .one { stroke: #818b98; }
  .pass { fill: #0b7a75; }
  .miss { fill: #bc4c00; }
  .target { stroke: #1f2328; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d; }
    text { fill: #f0f6fc; }
    .hint, .tick { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .one { stroke: #9198a1; }
    .pass { fill: #2aa198; }
    .miss { fill: #db6d28; }
    .target { stroke: #f0f6fc; }
  }`;

export function renderChart(result: BenchResult): string {
  const panels = panelsOf(result.rows);
  let top = 0;
  const drawn: string[] = [];
  for (const panel of panels) {
    drawn.push(`<g transform="translate(0 ${top})">${renderPanel(panel)}</g>`);
    top += heightOf(panel);
  }
  const height = top + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>Millrace against its peers: ratios of medians of ${result.rounds} rounds</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function panelsOf(all: readonly BenchRow[]): Panel[] {
  const rows = all.filter(({ against, ratio }) => OTHERS.has(against) && ratio !== null);
  const faster = rows.filter(({ target }) => 'atLeast' in target);
  const smaller = rows.filter(({ target }) => 'atMost' in target);
  const panels: Panel[] = [];
  if (faster.length > 0) {
    const ticks = [1, 2, 5, 10, 20, 50, 100, 200, 500].filter(
      (tick, index, ticks) => (ticks[index - 1] ?? 0) < largest(faster),
    );
    const end = Math.log(ticks.at(-1) ?? 100);
    panels.push({
      title: 'Records per second, as a multiple of the peer',
      hint: 'longer is better; logarithmic',
      rows: faster,
      scale: (ratio) => Math.max(0, Math.log(ratio) / end),
      ticks,
    });
  }
  if (smaller.length > 0) {
    const end = Math.max(2.5, Math.ceil(largest(smaller) * 2) / 2);
    panels.push({
      title: 'Latency and memory, as a share of the peer',
      hint: 'shorter is better',
      rows: smaller,
      scale: (ratio) => ratio / end,
      ticks: Array.from({ length: Math.floor(end * 2) + 1 }, (_, index) => index / 2).filter(
        (tick) => end <= 5 || Number.isInteger(tick),
      ),
    });
  }
  return panels;
}

/** Of ratios and targets: both have to fit. */
function largest(rows: readonly BenchRow[]): number {
  return Math.max(...rows.flatMap(({ ratio, target }) => [ratio ?? 0, targetOf(target)]));
}

function heightOf({ rows }: Panel): number {
  return PANEL_HEAD + rows.length * ROW_HEIGHT + PANEL_FOOT;
}

function renderPanel(panel: Panel): string {
  const { title, hint, rows, scale, ticks } = panel;
  const bottom = PANEL_HEAD + rows.length * ROW_HEIGHT;
  const parts = [
    `<text class="title" x="20" y="30">${escape(title)}</text>`,
    `<text class="hint" x="20" y="48">${escape(`${hint}; the upright mark is the target`)}</text>`,
  ];
  for (const tick of ticks) {
    const x = at(scale(tick));
    parts.push(
      `<line class="${tick === 1 ? 'one' : 'grid'}" x1="${x}" y1="${PANEL_HEAD - 4}" x2="${x}" y2="${bottom}"/>`,
      `<text class="tick" x="${x}" y="${bottom + 16}" text-anchor="middle">${tick}×</text>`,
    );
  }
  for (const [index, row] of rows.entries())
    parts.push(renderRow(row, scale, PANEL_HEAD + index * ROW_HEIGHT));
  return parts.join('\n');
}

function renderRow(row: BenchRow, scale: Panel['scale'], top: number): string {
  const ratio = row.ratio ?? 0;
  const barTop = top + (ROW_HEIGHT - BAR_HEIGHT) / 2;
  const textTop = top + ROW_HEIGHT / 2 + 4.5;
  const [bar, target] = [at(scale(ratio)), at(scale(targetOf(row.target)))];
  const [ours = '', theirs = ''] = row.measure.split(' / ');
  const valueAt = Math.max(bar, target) + 8;
  return [
    `<text x="${LABEL_WIDTH}" y="${textTop - 8}" text-anchor="end">${escape(ours)}</text>`,
    `<text class="hint" x="${LABEL_WIDTH}" y="${textTop + 8}" text-anchor="end">${escape(theirs)}</text>`,
    `<rect class="${row.verdict === 'pass' ? 'pass' : 'miss'}" x="${BAR_LEFT}" y="${barTop}" width="${round(Math.max(1, bar - BAR_LEFT))}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<line class="target" x1="${target}" y1="${barTop - 4}" x2="${target}" y2="${barTop + BAR_HEIGHT + 4}"/>`,
    `<text class="value" x="${valueAt}" y="${textTop}">${figure(ratio)}×<tspan class="hint" dx="8">${escape(targetText(row.target))}</tspan></text>`,
  ].join('\n');
}

function targetOf(target: BenchRow['target']): number {
  return 'atLeast' in target ? target.atLeast : target.atMost;
}

function at(share: number): number {
  return round(BAR_LEFT + Math.min(1, share) * BAR_WIDTH);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
