/**
 * What many partitions send in one turn of the event loop leaves in one write. Their commits fall due together, and the
 * driver writes each command by itself: a system call for each of a thousand partitions.
 *
 * Until the end of the tick (`process.nextTick`) was rejected: timers that fire together are a tick each.
 */
import type { Writable } from 'node:stream';

/** A connection to one server. A cluster's has no stream of its own: what goes to its nodes is written as it comes. */
export interface Written {
  /** Absent while there is no connection. */
  readonly stream?: Pick<Writable, 'cork' | 'uncork' | 'writableCorked'>;
}

/** To be called before a command that is one of many: all of this turn go out when the event loop has turned. */
export function gatherWrites({ stream }: Written): void {
  if (stream === undefined || stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}
