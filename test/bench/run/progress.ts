/**
 * How far a run is: a bar on a terminal, a line for each row elsewhere. On stderr, as stdout is for the result. No library:
 * a bar that is rewritten in place is two escape sequences.
 */

export interface Progress {
  /** A row begins, of so many measurements. */
  row(title: string, steps: number): void;
  /** A measurement begins. */
  begin(step: string): void;
  end(): void;
}

const WIDTH = 28;

/** `rows`: how many are to come. */
export function createProgress(
  rows: number,
  out: NodeJS.WritableStream & { isTTY?: boolean; columns?: number },
): Progress {
  const startedMs = performance.now();
  let [row, step, steps] = [0, 0, 1];
  const seconds = (): string => `${Math.round((performance.now() - startedMs) / 1_000)} s`;
  return {
    row(title, count) {
      row++;
      [step, steps] = [0, Math.max(1, count)];
      if (out.isTTY !== true) out.write(`[${row}/${rows}] ${title} (${seconds()})\n`);
    },
    begin(name) {
      step++;
      if (out.isTTY !== true) return;
      const done = (row - 1 + Math.min(1, (step - 1) / steps)) / rows;
      const line = `${bar(done)} ${Math.round(done * 100)} %  ${seconds()}  ${name}`;
      out.write(`\r\u001B[2K${line.slice(0, (out.columns ?? 80) - 1)}`);
    },
    end() {
      if (out.isTTY === true) out.write('\r\u001B[2K');
    },
  };
}

/** `done` from 0 to 1. */
export function bar(done: number): string {
  const full = Math.round(Math.min(1, Math.max(0, done)) * WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)}`;
}
