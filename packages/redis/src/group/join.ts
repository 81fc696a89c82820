import type { JoinResult, MemberDescription, TakeOver } from '@millrace/core';
import { JOIN_GROUP } from '../generated/lua.ts';
import type { GroupKeys } from '../keys.ts';
import { integerAt, textAt, unexpectedStatus } from '../reply.ts';
import { runScript, type ScriptConnection } from '../run-script.ts';
import { EVENTS_TO_KEEP } from './events.ts';
import { decodeMember, encodeMember } from './member-description.ts';
import { decodeView } from './view.ts';

/**
 * Version of what members of one group say to each other through Redis. Raised when the meaning of a key or a script
 * changes, so that two versions never work on one group; a script's text alone may change freely.
 */
export const PROTOCOL_VERSION = 1;

export async function joinGroup(
  connection: ScriptConnection,
  keys: GroupKeys,
  member: MemberDescription,
  takeOver: TakeOver | undefined,
  protocol = PROTOCOL_VERSION,
): Promise<JoinResult> {
  const reply = await runScript(
    connection,
    JOIN_GROUP,
    [keys.state, keys.members, keys.beats, keys.events, keys.wake, keys.presence(member.memberId)],
    [
      member.memberId,
      member.session,
      encodeMember(member),
      protocol,
      takeOver?.beat ?? '',
      takeOver?.evenIfPresent === true ? 1 : 0,
      EVENTS_TO_KEEP,
    ],
  );
  switch (reply[0]) {
    case 'JOINED':
      return { status: 'JOINED', ...decodeView(reply) };
    case 'DUPLICATE_INSTANCE':
      return {
        status: 'DUPLICATE_INSTANCE',
        holder: decodeMember(textAt(reply, 1)),
        beat: integerAt(reply, 2),
        isPresent: integerAt(reply, 3) > 0,
      };
    case 'PROTOCOL_MISMATCH':
      return { status: 'PROTOCOL_MISMATCH', groupProtocol: integerAt(reply, 1), ownProtocol: protocol };
    default:
      return unexpectedStatus(JOIN_GROUP, reply);
  }
}
