/**
 * Which rounds were disturbed by something else on the machine. The peer tells, and the peer alone: what we measured of
 * ourselves must not decide what counts. Leaving out rounds in which the peer was slow makes what we are compared with
 * faster, never slower.
 */

/** Times the lowest: in a quiet run, rounds are within 1.4. */
export const DISTURBED = 1.5;

/** Indices of the rounds in which the peer took no longer than that. */
export function calmRounds(peer: readonly number[]): readonly number[] {
  const bound = Math.min(...peer) * DISTURBED;
  return [...peer.keys()].filter((round) => (peer[round] ?? Number.NaN) <= bound);
}
