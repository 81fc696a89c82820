/** A member's own calls: renew, change, leave. */
import type { HeartbeatResult, MemberDescription } from '@millrace/core';
import { HEARTBEAT, LEAVE_GROUP, UPDATE_MEMBER } from '../generated/lua.ts';
import type { GroupKeys } from '../keys.ts';
import { unexpectedStatus } from '../reply.ts';
import { runScript, type ScriptConnection } from '../run-script.ts';
import { EVENTS_TO_KEEP } from './events.ts';
import { encodeMember } from './member-description.ts';
import { decodeView } from './view.ts';

export async function heartbeat(
  connection: ScriptConnection,
  keys: GroupKeys,
  memberId: string,
  session: string,
): Promise<HeartbeatResult> {
  const reply = await runScript(
    connection,
    HEARTBEAT,
    [keys.state, keys.members, keys.beats],
    [memberId, session],
  );
  switch (reply[0]) {
    case 'OK':
      return { status: 'OK', ...decodeView(reply) };
    case 'UNKNOWN_MEMBER':
    case 'REPLACED':
      return { status: reply[0] };
    default:
      return unexpectedStatus(HEARTBEAT, reply);
  }
}

export async function leaveGroup(
  connection: ScriptConnection,
  keys: GroupKeys,
  memberId: string,
  session: string,
): Promise<'LEFT' | 'UNKNOWN_MEMBER'> {
  const reply = await runScript(
    connection,
    LEAVE_GROUP,
    [keys.state, keys.members, keys.beats, keys.events, keys.wake, keys.leaderLock],
    [memberId, session, EVENTS_TO_KEEP],
  );
  switch (reply[0]) {
    case 'LEFT':
    case 'UNKNOWN_MEMBER':
      return reply[0];
    default:
      return unexpectedStatus(LEAVE_GROUP, reply);
  }
}

export async function updateMember(
  connection: ScriptConnection,
  keys: GroupKeys,
  member: MemberDescription,
  what: string,
): Promise<'OK' | 'UNKNOWN_MEMBER'> {
  const reply = await runScript(
    connection,
    UPDATE_MEMBER,
    [keys.state, keys.members, keys.events, keys.wake],
    [member.memberId, member.session, encodeMember(member), what, EVENTS_TO_KEEP],
  );
  switch (reply[0]) {
    case 'OK':
    case 'UNKNOWN_MEMBER':
      return reply[0];
    default:
      return unexpectedStatus(UPDATE_MEMBER, reply);
  }
}
