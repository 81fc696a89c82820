/** Reads a line of the sink's history; the scripts beside this file write them. */
import type { SinkEntry } from '../verdict/evidence.ts';

/** `<type> <epoch> <worker> <microseconds since 1970>`, and for a record its offset and when it was appended. */
export function parseSinkEntry(line: string): SinkEntry {
  const [type, epoch, worker = '', atMicros, offset, appendedMs] = line.split(' ');
  const base = { epoch: Number(epoch), worker, atMs: Number(atMicros) / 1000 };
  switch (type) {
    case 'opened':
      return { type, ...base };
    case 'applied':
      return { type, ...base, offset: Number(offset), appendedMs: Number(appendedMs) };
    default:
      throw new Error(`the sink's history holds a line that nobody writes: ${JSON.stringify(line)}`);
  }
}
