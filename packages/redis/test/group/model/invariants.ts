/** I1 to I4 of the protocol, on what Redis holds before and after one operation. They know nothing of the model. */
import { isDeepStrictEqual } from 'node:util';
import type { AcquireResult, Fence, GroupSnapshot } from '@millrace/core';
import { PARTITIONS, type Operation, type Partition } from './operations.ts';
import type { StoredOwnership } from './partition-model.ts';

export interface PartitionState {
  readonly logEnd: number;
  readonly stored: StoredOwnership | null;
}

export interface World {
  readonly group: GroupSnapshot;
  readonly partitions: ReadonlyMap<Partition, PartitionState>;
}

export interface Happening {
  readonly operation: Operation;
  /** What was sent where it needs a fence, and everything that was ever handed out for the partition. */
  readonly fence: Fence | null;
  readonly handedOut: readonly Fence[];
  readonly status: string;
  readonly acquired: AcquireResult | null;
}

/** What is broken, in words; empty when all holds. */
export function violations(before: World, after: World, happening: Happening): string[] {
  const broken: string[] = [];
  if (after.group.generation < before.group.generation) broken.push('the generation went back');
  for (const [partition, { memberId, claim }] of after.group.owners) {
    const former = before.group.owners.get(partition);
    if (former === undefined || former.memberId === memberId) continue;
    if (before.group.members.has(former.memberId))
      broken.push(`I1: ${partition} was given away under ${former.memberId}`);
    if (claim <= former.claim) broken.push(`I1: the claim of ${partition} did not rise`);
  }
  for (const partition of PARTITIONS)
    broken.push(...partitionViolations(partition, before, after, happening));
  return broken;
}

function partitionViolations(
  partition: Partition,
  before: World,
  after: World,
  happening: Happening,
): string[] {
  const { operation, fence, handedOut, status, acquired } = happening;
  const isTarget = 'partition' in operation && operation.partition === partition;
  const was = before.partitions.get(partition)?.stored ?? null;
  const { stored: is, logEnd } = after.partitions.get(partition) ?? { stored: null, logEnd: 0 };
  const broken: string[] = [];
  if (is === null) return was === null ? [] : [`${partition} has forgotten its epoch`];

  const current = handedOut.filter(({ epoch, nonce }) => epoch === is.epoch && nonce === is.nonce);
  if (isTarget && current.length > 1) broken.push(`I1: ${partition} has ${current.length} owners`);
  // Executed before: it is told again, and may change nothing.
  const isRepeated = operation.kind === 'repeat-seek' && isDeepStrictEqual(is, was);
  const isAccepted = isTarget && !isRepeated && (status === 'COMMITTED' || status === 'SOUGHT');
  if (isAccepted && (fence?.epoch !== was?.epoch || fence?.nonce !== was?.nonce)) {
    broken.push(`I2: ${partition} took a ${operation.kind} that is not its owner's`);
  }
  if (was !== null && is.epoch < was.epoch) broken.push(`I3: the epoch of ${partition} went back`);
  const isSought = isAccepted && operation.kind === 'seek';
  if (isSought && is.nonce === was?.nonce) {
    broken.push(`I2: what the owner of ${partition} sent before it sought is still accepted`);
  }
  // The first of two may have been out of range: then the second one is the seek.
  const mayRename = isSought || (isAccepted && operation.kind === 'repeat-seek');
  const isSame = mayRename && is.owner === was?.owner && is.epoch === was?.epoch;
  if (was !== null && is.nonce !== null && is.nonce !== was.nonce && is.epoch <= was.epoch && !isSame) {
    broken.push(`I3: ${partition} has a new owner and no new epoch`);
  }
  const mayGoBack =
    isTarget && (status === 'SOUGHT' || (acquired?.status === 'ACQUIRED' && acquired.reset !== null));
  if (was !== null && is.committed < was.committed && !mayGoBack) {
    broken.push(
      `I4: the committed offset of ${partition} went back from ${was.committed} to ${is.committed}`,
    );
  }
  if (is.committed !== was?.committed && is.committed > logEnd) {
    broken.push(`I4: ${partition} has committed ${is.committed} of a log that ends at ${logEnd}`);
  }
  return broken;
}
