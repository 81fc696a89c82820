/** Shows a run while it goes on: redrawn in place on a terminal, as plain lines elsewhere, or not at all. */
import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';

import type { RunState } from '../run/run-state.ts';
import { COLOURED, format, formatHappening, renderFrame } from './render-frame.ts';

export interface View {
  /** One line, before there is a run to follow. */
  say(line: string): void;
  /** To be called once; the view follows the state from then on. */
  follow(state: RunState): void;
  /** Shows how things stand at the end, and nothing more after that. */
  stop(): void;
}

/** Plain lines where the output is redirected, where escape sequences are unwanted, and where a frame has no room. */
export function createView(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): View {
  const isPlain = !stream.isTTY || !!env['NO_COLOR'] || env['TERM'] === 'dumb' || isTiny(stream);
  return isPlain ? new LineView(stream) : new LiveView(stream);
}

export const NO_VIEW: View = { say: () => {}, follow: () => {}, stop: () => {} };

function isTiny({ columns, rows }: WriteStream): boolean {
  return columns < 70 || rows < 14;
}

const FRAME_INTERVAL_MS = 100;

class LiveView implements View {
  readonly #stream: WriteStream;
  readonly #update: ReturnType<typeof createLogUpdate>;
  #timer: NodeJS.Timeout | undefined;
  #state: RunState | undefined;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    this.#update = createLogUpdate(stream);
  }

  say(line: string): void {
    this.#update(line);
  }

  follow(state: RunState): void {
    this.#state = state;
    this.#timer = setInterval(() => this.#draw(), FRAME_INTERVAL_MS);
    this.#draw();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#update.done();
    this.#state = undefined;
  }

  #draw(): void {
    if (this.#state !== undefined) this.#update(renderFrame(this.#state, Date.now(), this.#stream, COLOURED));
  }
}

const LINES_INTERVAL_MS = 200;
/** At most one line about the progress in so many rounds. */
const ROUNDS_PER_PROGRESS = 10;

class LineView implements View {
  readonly #stream: NodeJS.WriteStream;
  #timer: NodeJS.Timeout | undefined;
  #state: RunState | undefined;
  #shown = 0;
  #round = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  say(line: string): void {
    this.#stream.write(`${line}\n`);
  }

  follow(state: RunState): void {
    this.#state = state;
    this.#timer = setInterval(() => this.#write(), LINES_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#write();
    this.#state = undefined;
  }

  #write(): void {
    const state = this.#state;
    if (state === undefined) return;
    for (; this.#shown < state.happenings.length; this.#shown += 1) {
      const happening = state.happenings[this.#shown];
      if (happening !== undefined) this.#stream.write(`${formatHappening(happening)}\n`);
    }
    this.#round += 1;
    if (this.#round % ROUNDS_PER_PROGRESS !== 0 || state.phase !== 'flowing') return;
    const { produced, applied, records } = state;
    const text = `${format(produced)} of ${format(records)} sent, ${format(applied)} applied, lag ${format(produced - applied)}`;
    this.#stream.write(`${formatHappening({ atMs: Date.now() - state.startedAtMs, kind: 'group', text })}\n`);
  }
}
