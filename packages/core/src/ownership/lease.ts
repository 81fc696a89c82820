/**
 * A member's view of its own lease. It counts from when the last acknowledged renewal was *sent*: observers may have
 * started counting at that moment. All times are of the member's own monotonic clock.
 */

/** Part of the lease after which no new handler call starts. The rest covers the observer's rounding and one call. */
const SELF_FENCE = 2 / 3;

export type LeaseHealth =
  /** Handlers may start. */
  | 'held'
  /** Not renewed for so long that nothing new may start; a renewal makes it good again. */
  | 'doubtful'
  /** It can have run out: what is owned has to be taken for lost. */
  | 'expired';

export function leaseHealth(renewalSentMs: number, nowMs: number, leaseMs: number): LeaseHealth {
  const ageMs = nowMs - renewalSentMs;
  if (ageMs < leaseMs * SELF_FENCE) return 'held';
  return ageMs < leaseMs ? 'doubtful' : 'expired';
}

/** Three renewals fit into a lease, so that one lost reply costs nothing. */
export function heartbeatIntervalMs(leaseMs: number): number {
  return Math.floor(leaseMs / 3);
}
