/** How fast the records flow, and when which worker goes. Pure. */

/** Long enough for kills to fall into the flow of records, short enough to watch. */
const WANTED_SECONDS = 15;
/** What two cores carry with every process of the demo on them; a longer history takes longer. */
const MAX_RATE = 5000;

/** Records a second. */
export function chooseRate(records: number): number {
  return Math.min(MAX_RATE, Math.max(1, Math.ceil(records / WANTED_SECONDS)));
}

export type Departure = {
  /** SIGKILL to the leader, SIGKILL to another worker, or SIGTERM. */
  readonly kind: 'kill-leader' | 'kill' | 'leave';
  /** Not before so many records were applied. */
  readonly afterApplied: number;
};

/** Share of the records that is applied when the first and the last worker go. */
const FIRST_AT = 0.15;
const LAST_AT = 0.7;
/** Up to here the producer goes on while workers are still to go; the rest waits, so that none goes in silence. */
const HELD_FROM = 0.85;

/**
 * Spread evenly over the run, in this order: the leader is killed first, one worker leaves in order half-way, the others
 * are killed. Killed workers are not started again: the survivors must do.
 */
export function planDepartures(records: number, kills: number): Departure[] {
  const count = kills + 1;
  const leaveAt = Math.floor(count / 2);
  return Array.from({ length: count }, (_, i) => {
    const share =
      count === 1 ? (FIRST_AT + LAST_AT) / 2 : FIRST_AT + ((LAST_AT - FIRST_AT) * i) / (count - 1);
    const afterApplied = Math.floor(share * records);
    if (i === leaveAt) return { kind: 'leave', afterApplied };
    return { kind: i === 0 ? 'kill-leader' : 'kill', afterApplied };
  });
}

/** Records that are sent before the last departure; not fewer than any departure waits for. */
export function recordsBeforeHold(records: number): number {
  return Math.floor(HELD_FROM * records);
}
