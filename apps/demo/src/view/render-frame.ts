/**
 * The live view as text: who works on what, how far the records are, and what happened last. Pure: from the state of a
 * run and the size of the terminal to lines that fit in it.
 */
import { stripVTControlCharacters, styleText } from 'node:util';

import { formatPartitions, isAlive } from '../run/run-state.ts';
import type { Happening, HappeningKind, RunState, WorkerState, WorkerStatus } from '../run/run-state.ts';

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

type Style = Parameters<typeof styleText>[0];

/** Colour is decided by who writes the frame; the text is complete without it. */
export type Paint = (style: Style, text: string) => string;

export const PLAIN: Paint = (_style, text) => text;
export const COLOURED: Paint = (style, text) => styleText(style, text, { validateStream: false });

const STATUS_STYLES: Readonly<Record<WorkerStatus, Style>> = {
  starting: 'dim',
  running: 'green',
  leaving: 'yellow',
  left: 'dim',
  killed: 'red',
  failed: ['red', 'bold'],
};

const HAPPENING_STYLES: Readonly<Record<HappeningKind, Style>> = {
  group: 'reset',
  kill: 'red',
  leave: 'yellow',
  trouble: ['red', 'bold'],
};

const PHASES: Readonly<Record<RunState['phase'], string>> = {
  preparing: 'preparing',
  joining: 'workers are joining the group',
  flowing: 'records are flowing',
  draining: 'the last records are being handled',
  closing: 'workers are leaving',
  judging: 'comparing with git',
};

/** Rows that are never given up: header, bars, headings, and a few happenings. */
const FIXED_ROWS = 9;
const MIN_HAPPENINGS = 5;
const MAX_COLUMNS = 110;
const LAG_COLUMNS = 14;

export function renderFrame(state: RunState, nowMs: number, size: FrameSize, paint: Paint): string {
  // One column stays free: a terminal that wraps at its last one would break the redrawing in place.
  const width = Math.min(size.columns - 1, MAX_COLUMNS);
  const rows = Math.max(size.rows - 1, FIXED_ROWS + 2);
  const workerRows = Math.max(1, Math.min(state.workers.length, rows - FIXED_ROWS - MIN_HAPPENINGS));
  const happeningRows = Math.max(0, rows - FIXED_ROWS - workerRows);
  const lines = [
    ...headerLines(state, nowMs, width, paint),
    '',
    ...workerLines(state, workerRows, width, paint),
    '',
    paint('dim', 'what happened'),
    ...happeningLines(state.happenings, happeningRows, width, paint),
  ];
  return lines.join('\n');
}

function headerLines(state: RunState, nowMs: number, width: number, paint: Paint): string[] {
  const seconds = ((nowMs - state.startedAtMs) / 1000).toFixed(1);
  const lag = state.produced - state.applied;
  const title = cut(`millrace demo  ${state.title}`, width - 12);
  const status = `${PHASES[state.phase]}, generation ${state.generation}`;
  return [
    `${paint('bold', title)}${`${seconds} s`.padStart(width - title.length)}`,
    paint('dim', status),
    '',
    bar('sent', state.produced, state.records, width - LAG_COLUMNS, paint),
    bar('applied', state.applied, state.records, width - LAG_COLUMNS, paint) +
      `lag ${format(lag)}`.padStart(LAG_COLUMNS),
  ];
}

function bar(label: string, done: number, total: number, width: number, paint: Paint): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const figures = `${format(done).padStart(format(total).length)} of ${format(total)}  ${`${Math.floor(share * 100)}`.padStart(3)} %`;
  const room = Math.max(5, Math.min(40, width - 9 - figures.length - 2));
  const filled = Math.round(share * room);
  return `${label.padEnd(9)}${paint('cyan', '█'.repeat(filled))}${paint('dim', '░'.repeat(room - filled))}  ${figures}`;
}

function workerLines(state: RunState, rows: number, width: number, paint: Paint): string[] {
  const room = Math.max(8, width - 36);
  const heading = paint('dim', 'worker      pid  state     handled  partitions');
  // The living first where not all fit, otherwise in their order, so that no line jumps.
  const all = state.workers;
  const fitting = all.length <= rows ? all : [...all].sort((a, b) => Number(isAlive(b)) - Number(isAlive(a)));
  const shown = all.length <= rows ? all : fitting.slice(0, rows - 1);
  const lines = shown.map((worker) =>
    workerLine(worker, worker.memberId !== '' && worker.memberId === state.leader, room, paint),
  );
  if (shown.length < all.length) {
    const hidden = fitting.slice(shown.length);
    const alive = hidden.filter(isAlive).length;
    lines.push(paint('dim', `… and ${hidden.length} more, ${alive} of them at work`));
  }
  return [heading, ...lines];
}

function workerLine(worker: WorkerState, isLeader: boolean, room: number, paint: Paint): string {
  const { name, pid, status, handled, partitions } = worker;
  const isLeading = isLeader && status === 'running';
  return [
    name.padEnd(6),
    `${pid === 0 ? '' : pid}`.padStart(9),
    '  ',
    paint(isLeading ? ['yellow', 'bold'] : STATUS_STYLES[status], (isLeading ? 'leading' : status).padEnd(8)),
    format(handled).padStart(9),
    '  ',
    status === 'running' || status === 'leaving' ? ownedText(partitions, room) : '',
  ]
    .join('')
    .trimEnd();
}

function ownedText(partitions: readonly number[], room: number): string {
  if (partitions.length === 0) return 'none: idle';
  const text = `${partitions.length}: ${formatPartitions(partitions)}`;
  return cut(text, room);
}

function happeningLines(
  happenings: readonly Happening[],
  rows: number,
  width: number,
  paint: Paint,
): string[] {
  return happenings.slice(-rows).map((happening) => paintHappening(happening, width, paint));
}

/** `  3.2 s  worker w2 …`, also used where there is no live view. */
export function formatHappening({ atMs, text }: Happening): string {
  return `${(atMs / 1000).toFixed(1).padStart(6)} s  ${text}`;
}

function paintHappening(happening: Happening, width: number, paint: Paint): string {
  return paint(HAPPENING_STYLES[happening.kind], cut(formatHappening(happening), width));
}

/** Cuts plain text; what is longer ends in an ellipsis. Control characters, which a folder's name may hold, go. */
function cut(text: string, room: number): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  const printable = stripVTControlCharacters(text).replaceAll(/[\u0000-\u001f\u007f]/g, '?');
  return printable.length <= room ? printable : `${printable.slice(0, Math.max(0, room - 1))}…`;
}

export function format(number: number): string {
  return number.toLocaleString('en-US');
}
