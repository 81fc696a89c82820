/** Reads of a group's slot, each as of one moment. */
import {
  assignmentFromMembers,
  type Claim,
  type GroupSnapshot,
  type GroupWatch,
  type MemberDescription,
  type MemberSigns,
  type PartitionKey,
  type PublishedAssignment,
  type Target,
} from '@millrace/core';
import { READ_ASSIGNMENT, READ_GROUP, READ_TARGET, WATCH_GROUP } from '../generated/lua.ts';
import type { GroupKeys } from '../keys.ts';
import { integerAt, listAt, pairsAt, textAt } from '../reply.ts';
import { runScript, type ScriptConnection } from '../run-script.ts';
import { decodeIncarnations } from './encode-incarnations.ts';
import { decodePartitionKeys, decodePartitions } from './encode-partitions.ts';
import { decodeStoredMember } from './member-description.ts';
import { decodeView } from './view.ts';

export async function watchGroup(
  connection: ScriptConnection,
  keys: GroupKeys,
  memberIds: readonly string[],
): Promise<GroupWatch> {
  const channels = memberIds.map((memberId) => keys.presence(memberId));
  const reply = await runScript(connection, WATCH_GROUP, [keys.state, keys.beats, ...channels], memberIds);
  const subscribers = listAt(reply, 7);
  const beats = listAt(reply, 8);
  const signs = new Map<string, MemberSigns>();
  memberIds.forEach((memberId, index) => {
    const beat = beats[index];
    signs.set(memberId, {
      subscribers: integerAt(subscribers, index),
      beat: beat === null || beat === undefined ? null : Number(beat),
    });
  });
  return { ...decodeView(reply), server: textAt(reply, 9), serverTimeMs: integerAt(reply, 6), signs };
}

export async function readGroup(connection: ScriptConnection, keys: GroupKeys): Promise<GroupSnapshot> {
  const reply = await runScript(
    connection,
    READ_GROUP,
    [keys.state, keys.members, keys.beats, keys.owners],
    [],
  );
  const members = new Map<string, MemberDescription>();
  for (const [memberId, value] of pairsAt(reply, 6)) members.set(memberId, decodeStoredMember(value));
  const beats = new Map<string, number>();
  for (const [memberId, beat] of pairsAt(reply, 7)) beats.set(memberId, Number(beat));
  const owners = new Map<PartitionKey, Claim>();
  for (const [partition, entry] of pairsAt(reply, 8))
    owners.set(partition as PartitionKey, decodeClaim(entry));
  return { ...decodeView(reply), members, beats, owners };
}

export async function readTarget(
  connection: ScriptConnection,
  keys: GroupKeys,
  memberId: string,
): Promise<Target> {
  const reply = await runScript(connection, READ_TARGET, [keys.state, keys.assignment], [memberId]);
  return {
    ...decodeView(reply),
    partitions: decodePartitionKeys(textAt(reply, 6)),
    incarnations: decodeIncarnations(textAt(reply, 7)),
  };
}

export async function readAssignment(
  connection: ScriptConnection,
  keys: GroupKeys,
): Promise<PublishedAssignment> {
  const reply = await runScript(connection, READ_ASSIGNMENT, [keys.state, keys.assignment], []);
  const members: [string, Map<string, number[]>][] = [];
  for (const [memberId, text] of pairsAt(reply, 2)) members.push([memberId, decodePartitions(text)]);
  return {
    generation: integerAt(reply, 1),
    assignment: assignmentFromMembers(members),
    incarnations: decodeIncarnations(textAt(reply, 3)),
  };
}

/** Entry of the owners hash: `<claim number> <member id>`. */
export function encodeClaim(claim: Claim): string {
  return `${claim.claim} ${claim.memberId}`;
}

function decodeClaim(entry: string): Claim {
  const blank = entry.indexOf(' ');
  return { claim: Number(entry.slice(0, blank)), memberId: entry.slice(blank + 1) };
}
