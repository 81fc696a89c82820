/** Ownership of one partition, in the partition's own slot: acquire, commit, seek, release. */
import type {
  AcquireRequest,
  AcquireResult,
  CommitResult,
  Fence,
  FenceRefusal,
  Progress,
  ReleaseResult,
  SeekResult,
} from '@millrace/core';
import {
  ACQUIRE_PARTITION,
  COMMIT_OFFSET,
  READ_PROGRESS,
  RELEASE_PARTITION,
  SEEK_OFFSET,
} from '../generated/lua.ts';
import type { Keys } from '../keys.ts';
import { integerAt, textAt, unexpectedStatus } from '../reply.ts';
import { runScript, type LuaScript, type ScriptConnection, type ScriptReply } from '../run-script.ts';

export async function acquirePartition(
  connection: ScriptConnection,
  keys: Keys,
  request: AcquireRequest,
): Promise<AcquireResult> {
  const partition = keys.partition(request.topic, request.partition);
  const reply = await runScript(
    connection,
    ACQUIRE_PARTITION,
    [partition.group(request.group), partition.state, partition.groups],
    [request.group, request.memberId, request.nonce, request.claim, request.offsetReset],
  );
  switch (reply[0]) {
    case 'ACQUIRED':
      return {
        status: 'ACQUIRED',
        epoch: integerAt(reply, 1),
        committed: integerAt(reply, 2),
        logStart: integerAt(reply, 3),
        logEnd: integerAt(reply, 4),
        incarnation: textAt(reply, 5),
        fingerprint: textAt(reply, 6),
        server: textAt(reply, 7),
        reset: decodeReset(reply[8]),
      };
    case 'SUPERSEDED':
      return { status: 'SUPERSEDED', claim: integerAt(reply, 1), owner: textAt(reply, 2) };
    case 'NO_OFFSET':
      return {
        status: 'NO_OFFSET',
        committed: reply[1] === '' ? null : integerAt(reply, 1),
        logStart: integerAt(reply, 2),
        logEnd: integerAt(reply, 3),
      };
    case 'UNKNOWN_PARTITION':
      return { status: 'UNKNOWN_PARTITION' };
    default:
      return unexpectedStatus(ACQUIRE_PARTITION, reply);
  }
}

/** Nil: the committed offset was used. Empty: there was none. */
function decodeReset(value: ScriptReply | undefined): { readonly from: number | null } | null {
  if (value === null || value === undefined) return null;
  return { from: value === '' ? null : Number(value) };
}

/** The same answers from every fenced script. */
function decodeRefusal(script: LuaScript, reply: readonly ScriptReply[]): FenceRefusal {
  switch (reply[0]) {
    case 'FENCED':
      return { status: 'FENCED', epoch: integerAt(reply, 1), owner: textAt(reply, 2) };
    case 'SERVER_CHANGED':
      return { status: 'SERVER_CHANGED', server: textAt(reply, 1) };
    default:
      return unexpectedStatus(script, reply);
  }
}

export async function commitOffset(
  connection: ScriptConnection,
  keys: Keys,
  fence: Fence,
  offset: number,
  fingerprint: string,
): Promise<CommitResult> {
  const partition = keys.partition(fence.topic, fence.partition);
  const reply = await runScript(
    connection,
    COMMIT_OFFSET,
    [partition.group(fence.group), partition.state],
    [fence.epoch, fence.nonce, offset, fingerprint, fence.server],
  );
  switch (reply[0]) {
    case 'COMMITTED':
      return { status: 'COMMITTED', committed: integerAt(reply, 1) };
    case 'BEYOND_END':
      return { status: 'BEYOND_END', logEnd: integerAt(reply, 1) };
    default:
      return decodeRefusal(COMMIT_OFFSET, reply);
  }
}

export async function releasePartition(
  connection: ScriptConnection,
  keys: Keys,
  fence: Fence,
): Promise<ReleaseResult> {
  const partition = keys.partition(fence.topic, fence.partition);
  const reply = await runScript(
    connection,
    RELEASE_PARTITION,
    [partition.group(fence.group)],
    [fence.epoch, fence.nonce, fence.server],
  );
  return reply[0] === 'RELEASED' ? { status: 'RELEASED' } : decodeRefusal(RELEASE_PARTITION, reply);
}

export async function seekOffset(
  connection: ScriptConnection,
  keys: Keys,
  fence: Fence,
  offset: number,
  nextNonce: string,
): Promise<SeekResult> {
  const partition = keys.partition(fence.topic, fence.partition);
  const reply = await runScript(
    connection,
    SEEK_OFFSET,
    [partition.group(fence.group), partition.state],
    [fence.epoch, fence.nonce, offset, fence.server, nextNonce],
  );
  switch (reply[0]) {
    case 'SOUGHT':
      return {
        status: 'SOUGHT',
        from: reply[1] === null ? null : integerAt(reply, 1),
        committed: integerAt(reply, 2),
      };
    case 'OUT_OF_RANGE':
      return { status: 'OUT_OF_RANGE', logStart: integerAt(reply, 1), logEnd: integerAt(reply, 2) };
    default:
      return decodeRefusal(SEEK_OFFSET, reply);
  }
}

export async function readProgress(
  connection: ScriptConnection,
  keys: Keys,
  topic: string,
  partition: number,
  group: string,
): Promise<Progress | null> {
  const at = keys.partition(topic, partition);
  const reply = await runScript(connection, READ_PROGRESS, [at.group(group), at.state], []);
  if (reply[1] === '' || reply[2] === '') return null;
  return { committed: integerAt(reply, 1), logEnd: integerAt(reply, 2) };
}
