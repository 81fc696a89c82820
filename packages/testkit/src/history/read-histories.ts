/** Reads the histories of all processes of a run and puts them into the order of the clock that they share. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEvent } from './history-event.ts';

/** All `*.jsonl` of a directory, merged. Throws where a line is damaged that was not the last of a killed process. */
export function readHistories(directory: string): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  for (const name of readdirSync(directory).sort()) {
    if (!name.endsWith('.jsonl')) continue;
    const path = join(directory, name);
    for (const event of parseHistory(readFileSync(path, 'utf8'), path)) events.push(event);
  }
  return mergeHistories(events);
}

/** Order of all events: by the shared clock; what one process wrote within one tick stays as it wrote it. */
export function mergeHistories(events: readonly HistoryEvent[]): HistoryEvent[] {
  return [...events].sort(
    (a, b) => a.tMonoMs - b.tMonoMs || compareText(a.incarnation, b.incarnation) || a.i - b.i,
  );
}

/** `source` is named in errors. */
export function parseHistory(text: string, source: string): HistoryEvent[] {
  const lines = text.split('\n');
  // Behind the last newline there is nothing, or the beginning of what a killed process was writing.
  lines.pop();
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as HistoryEvent;
    } catch (error) {
      throw new Error(
        `${source}:${index + 1} is not an event: a history is damaged, nothing can be told from it`,
        {
          cause: error,
        },
      );
    }
  });
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
