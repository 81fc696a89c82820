/**
 * Deputies watch the leader's presence, so that its death is found as fast as anybody's. Three of them, each looking
 * once a period and staggered by a third of it: the leader is looked at often while each stays within the idle budget
 * of two commands a second.
 */

const DEPUTY_COUNT = 3;

/** Oldest members first: they are the least likely to be in the middle of a deployment. */
export function chooseDeputies(
  members: Iterable<{ readonly memberId: string; readonly joinedAtMs: number }>,
  leaderId: string,
): readonly string[] {
  return [...members]
    .filter((member) => member.memberId !== leaderId)
    .sort((a, b) => a.joinedAtMs - b.joinedAtMs || (a.memberId < b.memberId ? -1 : 1))
    .slice(0, DEPUTY_COUNT)
    .map((member) => member.memberId);
}

/**
 * Milliseconds until the next look of deputy `rank` of `count`. The server's clock only aligns the phases; a clock
 * that jumps costs one look that comes early or late.
 */
export function untilNextWatchMs(
  serverTimeMs: number,
  periodMs: number,
  rank: number,
  count: number,
): number {
  const phaseMs = Math.floor((periodMs * rank) / Math.max(1, count));
  const elapsedMs = (((serverTimeMs - phaseMs) % periodMs) + periodMs) % periodMs;
  return periodMs - elapsedMs;
}
