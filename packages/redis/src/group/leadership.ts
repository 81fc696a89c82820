/** The leader's writes. Each carries the leader epoch and does nothing when a newer one exists. */
import { partitionsByMember, type DeposeReason, type LeaderView, type PublishRequest } from '@millrace/core';
import {
  BUMP_GENERATION,
  DEPOSE_LEADER,
  ELECT_LEADER,
  EVICT_MEMBER,
  PUBLISH_ASSIGNMENT,
} from '../generated/lua.ts';
import type { GroupKeys } from '../keys.ts';
import { integerAt, unexpectedStatus } from '../reply.ts';
import { runScript, type ScriptConnection } from '../run-script.ts';
import { encodeIncarnations } from './encode-incarnations.ts';
import { encodePartitions } from './encode-partitions.ts';
import { EVENTS_TO_KEEP } from './events.ts';
import { encodeClaim } from './observe.ts';

/** The rest goes with the next assignment. Beyond about 60,000 the arguments of one call overflow the stack. */
const ORPHANS_PER_CALL = 10_000;

/** The leader epoch, or null when the caller is not in the group any more. */
export async function electLeader(
  connection: ScriptConnection,
  keys: GroupKeys,
  memberId: string,
  session: string,
): Promise<number | null> {
  const reply = await runScript(
    connection,
    ELECT_LEADER,
    [keys.state, keys.members, keys.events],
    [memberId, session, EVENTS_TO_KEEP],
  );
  switch (reply[0]) {
    case 'ELECTED':
      return integerAt(reply, 1);
    case 'UNKNOWN_MEMBER':
      return null;
    default:
      return unexpectedStatus(ELECT_LEADER, reply);
  }
}

export async function deposeLeader(
  connection: ScriptConnection,
  keys: GroupKeys,
  leader: LeaderView,
  reason: DeposeReason,
): Promise<'OK' | 'STALE' | 'PRESENT'> {
  const reply = await runScript(
    connection,
    DEPOSE_LEADER,
    [keys.state, keys.leaderLock, keys.events, keys.wake, keys.presence(leader.memberId)],
    [leader.memberId, leader.epoch, reason, EVENTS_TO_KEEP],
  );
  switch (reply[0]) {
    case 'OK':
    case 'STALE':
    case 'PRESENT':
      return reply[0];
    default:
      return unexpectedStatus(DEPOSE_LEADER, reply);
  }
}

export async function evictMember(
  connection: ScriptConnection,
  keys: GroupKeys,
  leaderEpoch: number,
  memberId: string,
  observedBeat: number,
  reason: 'presence' | 'lease',
): Promise<'OK' | 'STALE' | 'ALIVE' | 'UNKNOWN_MEMBER'> {
  const reply = await runScript(
    connection,
    EVICT_MEMBER,
    [keys.state, keys.members, keys.beats, keys.events, keys.wake, keys.presence(memberId)],
    [leaderEpoch, memberId, observedBeat, reason, EVENTS_TO_KEEP],
  );
  switch (reply[0]) {
    case 'OK':
    case 'STALE':
    case 'ALIVE':
    case 'UNKNOWN_MEMBER':
      return reply[0];
    default:
      return unexpectedStatus(EVICT_MEMBER, reply);
  }
}

/** The generation after the bump, or null when the caller is stale. */
export async function bumpGeneration(
  connection: ScriptConnection,
  keys: GroupKeys,
  leaderEpoch: number,
  generation: number,
  what: string,
): Promise<number | null> {
  const reply = await runScript(
    connection,
    BUMP_GENERATION,
    [keys.state, keys.events],
    [leaderEpoch, generation, what, EVENTS_TO_KEEP],
  );
  switch (reply[0]) {
    case 'OK':
      return integerAt(reply, 1);
    case 'STALE':
      return null;
    default:
      return unexpectedStatus(BUMP_GENERATION, reply);
  }
}

export async function publishAssignment(
  connection: ScriptConnection,
  keys: GroupKeys,
  request: PublishRequest,
): Promise<'OK' | 'STALE'> {
  const orphans = [...request.orphans]
    .slice(0, ORPHANS_PER_CALL)
    .flatMap(([partition, claim]) => [partition, encodeClaim(claim)]);
  const targets: string[] = [];
  for (const [memberId, partitions] of partitionsByMember(request.assignment)) {
    targets.push(memberId, encodePartitions(partitions));
  }
  const reply = await runScript(
    connection,
    PUBLISH_ASSIGNMENT,
    [keys.state, keys.assignment, keys.owners, keys.events, keys.wake],
    [
      request.leaderEpoch,
      request.generation,
      request.deputies.join(' '),
      request.moves,
      EVENTS_TO_KEEP,
      encodeIncarnations(request.incarnations),
      orphans.length / 2,
      ...orphans,
      ...targets,
    ],
  );
  switch (reply[0]) {
    case 'OK':
    case 'STALE':
      return reply[0];
    default:
      return unexpectedStatus(PUBLISH_ASSIGNMENT, reply);
  }
}
