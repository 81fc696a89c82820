/**
 * Joins the group, and joins again after the member was found dead while it was not. A dynamic member comes back under
 * a new id; a static one keeps its id, and waits for a predecessor that may still be alive.
 */
import {
  ConfigError,
  type Clock,
  type GroupStore,
  type GroupView,
  type JoinResult,
  type MemberDescription,
  type PartitionKey,
  type Random,
  type TakeOver,
} from '@millrace/core';
import { delay } from '../clock/delay.ts';
import type { Lease } from '../lease/lease-keeper.ts';

export interface MembershipPort {
  readonly clock: Clock;
  readonly random: Random;
  readonly group: GroupStore;
  readonly lease: Lease;
}

export interface MembershipSettings {
  readonly group: string;
  readonly clientName: string;
  readonly description: Omit<MemberDescription, 'memberId' | 'session' | 'joinedAtMs' | 'isLeaving'>;
}

const POLL_MS = 250;

export interface Joined {
  readonly member: MemberDescription;
  readonly view: GroupView;
  /** What a static member's predecessor has claimed and never gave up, each with the number of the claim. */
  readonly claims: ReadonlyMap<PartitionKey, number>;
}

/** Throws `DUPLICATE_INSTANCE_ID` or `PROTOCOL_MISMATCH` (ConfigError); transport failures pass through. */
export async function joinGroup(
  port: MembershipPort,
  settings: MembershipSettings,
  signal: AbortSignal,
): Promise<Joined | null> {
  const { instanceId, leaseMs } = settings.description;
  const memberId = instanceId ?? `${settings.clientName}-${port.random.nonce().slice(0, 10)}`;
  const session = port.random.nonce();
  const member: MemberDescription = {
    ...settings.description,
    memberId,
    session,
    isLeaving: false,
    joinedAtMs: port.clock.nowMs(),
  };
  // A static member that must wait for its predecessor would count as present on the predecessor's behalf.
  if (instanceId === undefined) await port.lease.appear(memberId);

  let takeOver: TakeOver | undefined;
  let seen: { readonly beat: number; readonly sinceMs: number } | null = null;
  while (!signal.aborted) {
    const sentMs = port.clock.monotonicMs();
    const result = await port.group.join(member, takeOver);
    switch (result.status) {
      case 'JOINED':
        if (instanceId !== undefined) await port.lease.appear(memberId);
        port.lease.hold(memberId, session, sentMs);
        return { member, view: result, claims: await claimsOf(port.group, instanceId) };
      case 'PROTOCOL_MISMATCH':
        throw new ConfigError(
          'PROTOCOL_MISMATCH',
          `group ${settings.group} works with protocol ${result.groupProtocol}, this member speaks ${result.ownProtocol}: ` +
            'run one version of Millrace in a group, or stop all its members before the upgrade',
        );
      case 'DUPLICATE_INSTANCE': {
        const nowMs = port.clock.monotonicMs();
        if (seen !== null && seen.beat !== result.beat) throw duplicate(settings.group, result);
        seen ??= { beat: result.beat, sinceMs: nowMs };
        const evenIfPresent = nowMs - seen.sinceMs >= Math.max(leaseMs, result.holder.leaseMs);
        takeOver = { beat: result.beat, evenIfPresent };
        // It closed, or was killed: nothing to wait for. Else its next heartbeat tells whether it lives.
        if (result.isPresent && !evenIfPresent) await delay(port.clock, POLL_MS, signal);
        break;
      }
      default:
        result satisfies never;
    }
  }
  return null;
}

async function claimsOf(
  group: GroupStore,
  instanceId: string | undefined,
): Promise<ReadonlyMap<PartitionKey, number>> {
  const claims = new Map<PartitionKey, number>();
  // A dynamic member is a new one, to whom nobody has left anything.
  if (instanceId === undefined) return claims;
  const { owners } = await group.snapshot();
  for (const [key, { memberId, claim }] of owners) if (memberId === instanceId) claims.set(key, claim);
  return claims;
}

function duplicate(
  group: string,
  result: Extract<JoinResult, { status: 'DUPLICATE_INSTANCE' }>,
): ConfigError {
  const { memberId, host, pid } = result.holder;
  return new ConfigError(
    'DUPLICATE_INSTANCE_ID',
    `instance id "${memberId}" is held by a living member of group ${group} (process ${pid} on ${host}): give every process its own`,
    { details: { group, instanceId: memberId, host, pid } },
  );
}
