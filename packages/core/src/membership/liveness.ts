/**
 * Who is dead, from what one observer saw. Two signs, the fast one first:
 *
 * - presence: the member's lease connection is gone. The kernel of a killed process closes its sockets, so this shows
 *   within milliseconds. A short grace lets a reconnect pass.
 * - lease: the heartbeat counter has not moved for the member's lease by the observer's own monotonic clock. No wall
 *   clock is compared across machines (as in Amazon's KCL and Kubernetes' client-go).
 *
 * When it is Redis that failed, every presence is gone at once and says nothing about the members: then only the lease
 * counts, for as long as one lease. So it is after the observer lost sight itself (`trustPresenceFromMs`).
 */
import type { EvictionReason, MemberDescription, MemberSigns } from '../ports/group-store.ts';

/** What decides over a member. */
export type ObservedMember = Pick<MemberDescription, 'memberId' | 'leaseMs' | 'instanceId'>;

export interface LivenessSettings {
  readonly presenceGraceMs: number;
}

interface Sighting {
  readonly beat: number;
  /** When the counter was first seen at this value, on the observer's monotonic clock. */
  readonly beatSinceMs: number;
  /** When the presence was first seen gone; null while it is there. */
  readonly absentSinceMs: number | null;
}

export interface LivenessState {
  readonly sightings: ReadonlyMap<string, Sighting>;
  readonly trustPresenceFromMs: number;
  /** Who answered the last look; null before the first. */
  readonly server: string | null;
  readonly lastLookMs: number;
}

export interface Look {
  /** Identity of the server that answers. */
  readonly server: string;
  readonly nowMs: number;
  /** Without a look for longer than this, nobody could be seen and perhaps nobody could renew. */
  readonly blindMs: number;
  /** For so long presence at another server says nothing: its clients are still on their way. */
  readonly leaseMs: number;
}

export interface Verdict {
  readonly memberId: string;
  readonly reason: EvictionReason;
  readonly beat: number;
}

export interface LivenessResult {
  readonly state: LivenessState;
  readonly dead: readonly Verdict[];
  /** Somebody is absent and inside the grace: look again after it, not at the next regular time. */
  readonly suspects: boolean;
}

/** `nowMs`: presence counts from now on. */
export function initialLiveness(nowMs: number): LivenessState {
  return { sightings: new Map(), trustPresenceFromMs: nowMs, server: null, lastLookMs: nowMs };
}

/**
 * What of the sightings so far is still worth something when the next look has been answered. Another server may have
 * lost the last beats: a member that renews there is back at the value that was seen long ago, and looks as if it had
 * stood still.
 */
export function beginLook(before: LivenessState, { server, nowMs, blindMs, leaseMs }: Look): LivenessState {
  const isOther = before.server !== null && before.server !== server;
  let state = before;
  if (isOther) state = distrustPresence(state, nowMs + leaseMs);
  if (isOther || nowMs - before.lastLookMs > blindMs) state = restartLeases(state, nowMs);
  return { ...state, server, lastLookMs: nowMs };
}

/** More than half of at least this many members gone in one look is taken for a failure of Redis. */
const MANY_MEMBERS = 4;

/**
 * Takes one look. `signs` must cover `members`; members that it does not cover are left as they were.
 * `observerId` is the observer's own member id: when its own presence is gone, nobody's presence means anything.
 */
export function observeLiveness(
  before: LivenessState,
  members: ReadonlyMap<string, ObservedMember>,
  signs: ReadonlyMap<string, MemberSigns>,
  observerId: string,
  nowMs: number,
  settings: LivenessSettings,
): LivenessResult {
  const sightings = new Map<string, Sighting>();
  let newlyAbsent = 0;
  let longestLeaseMs = 0;
  for (const member of members.values()) {
    longestLeaseMs = Math.max(longestLeaseMs, member.leaseMs);
    const known = before.sightings.get(member.memberId);
    const sighting = sight(known, signs.get(member.memberId), nowMs);
    if (sighting === undefined) continue;
    sightings.set(member.memberId, sighting);
    if (sighting.absentSinceMs !== null && typeof known?.absentSinceMs !== 'number') newlyAbsent++;
  }

  const isBlind = signs.get(observerId)?.subscribers === 0;
  const looksLikeAnOutage = members.size >= MANY_MEMBERS && newlyAbsent > members.size / 2;
  const trustPresenceFromMs = Math.max(
    before.trustPresenceFromMs,
    isBlind || looksLikeAnOutage ? nowMs + longestLeaseMs : Number.NEGATIVE_INFINITY,
  );

  const dead: Verdict[] = [];
  let suspects = false;
  for (const [memberId, sighting] of sightings) {
    const member = members.get(memberId);
    if (member === undefined) continue;
    if (nowMs - sighting.beatSinceMs >= member.leaseMs) {
      dead.push({ memberId, reason: 'lease', beat: sighting.beat });
      continue;
    }
    // A static member is expected to come back: only its lease decides, that is what it is for (KIP-345).
    if (sighting.absentSinceMs === null || member.instanceId !== undefined || nowMs < trustPresenceFromMs)
      continue;
    if (nowMs - sighting.absentSinceMs >= settings.presenceGraceMs) {
      dead.push({ memberId, reason: 'presence', beat: sighting.beat });
    } else {
      suspects = true;
    }
  }
  return { state: { ...before, sightings, trustPresenceFromMs }, dead, suspects };
}

function sight(
  before: Sighting | undefined,
  signs: MemberSigns | undefined,
  nowMs: number,
): Sighting | undefined {
  if (signs === undefined || signs.beat === null) return before;
  const moved = before === undefined || before.beat !== signs.beat;
  return {
    beat: signs.beat,
    beatSinceMs: moved ? nowMs : before.beatSinceMs,
    // A beat that moves is life, whatever has become of the subscription: a reconnect renews before it is present again.
    absentSinceMs: signs.subscribers > 0 ? null : moved ? nowMs : (before.absentSinceMs ?? nowMs),
  };
}

/** The observer was cut off: what it saw of presence is worth nothing for a while. */
export function distrustPresence(before: LivenessState, untilMs: number): LivenessState {
  const sightings = new Map<string, Sighting>();
  for (const [memberId, sighting] of before.sightings)
    sightings.set(memberId, { ...sighting, absentSinceMs: null });
  return { ...before, sightings, trustPresenceFromMs: Math.max(before.trustPresenceFromMs, untilMs) };
}

/** The watch itself stood still (a frozen process): time passed that nobody could have renewed in for this observer. */
function restartLeases(before: LivenessState, nowMs: number): LivenessState {
  const sightings = new Map<string, Sighting>();
  for (const [memberId, sighting] of before.sightings) {
    sightings.set(memberId, { ...sighting, beatSinceMs: nowMs, absentSinceMs: null });
  }
  return { ...before, sightings };
}
