/**
 * The load that every fault meets, and the times of its group. Short times, so that a fault and its recovery fit into
 * seconds; what is measured is judged by the same times.
 */

export const PARTITIONS = 32;
export const WORKERS = 4;
export const PRODUCERS = 2;
export const GROUPS = ['billing', 'shipping'] as const;
export type Group = (typeof GROUPS)[number];

/** Lease of every member, ms. Users have 10,000. */
export const LEASE_MS = 3_000;
/** An event loop that stands still for longer loses its lease. Users have 300,000. */
export const EVENT_LOOP_TIMEOUT_MS = 4_000;
/** With it the window that a crash repeats. Users have 100. */
export const AUTO_COMMIT_INTERVAL_MS = 50;
/** Attempts of a handler before its partition is halted and, here, the record written down as a dead letter. */
export const HANDLER_ATTEMPTS = 3;
/** Of each producer. Two cores carry the servers and nine processes besides. */
export const SENDS_PER_SECOND = 120;
/** Keys of the records: enough that every partition gets some. */
export const KEYS = 400;
/** Longer than any fault keeps a producer from Redis. */
export const DELIVERY_TIMEOUT_MS = 20_000;

/** Topics of the rows: consumers subscribe to all of them by pattern. */
export const TOPIC_PATTERN = /^row-\d+$/;

/** A handler throws on each of these values, always. */
export const POISON = 'poison:';

/** Values are compared and never used: what only makes one large is not written down. */
export function recordedValue(value: string): string {
  return value.slice(0, 100);
}
