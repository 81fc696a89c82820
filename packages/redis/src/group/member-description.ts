/**
 * The stored form of a member: its session, a blank, and JSON. The session stands in front so that scripts compare it
 * without parsing; `input` is what an assignment depends on, so that a static member which returns unchanged moves
 * nothing.
 */
import type { MemberDescription } from '@millrace/core';

export function encodeMember(member: MemberDescription): string {
  const input = JSON.stringify([member.subscriptions, member.capacity, member.assignor, member.isLeaving]);
  return JSON.stringify({ ...member, input });
}

export function decodeMember(json: string): MemberDescription {
  const { input: _input, ...member } = JSON.parse(json) as MemberDescription & { input: string };
  return member;
}

export function decodeStoredMember(value: string): MemberDescription {
  return decodeMember(value.slice(value.indexOf(' ') + 1));
}
