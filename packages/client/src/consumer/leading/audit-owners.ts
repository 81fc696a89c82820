/** Finds partitions whose owner is not the one they are assigned to for too long. Pure; the leader acts on it. */
import {
  partitionKey,
  type Assignment,
  type Claim,
  type GroupSnapshot,
  type PartitionKey,
} from '@millrace/core';

export interface OwnerAudit {
  /** Partition → what was found, and since when (monotonic). */
  readonly since: ReadonlyMap<PartitionKey, { readonly state: string; readonly sinceMs: number }>;
}

export interface Overdue {
  readonly partition: PartitionKey;
  readonly target: string;
  /** The living member that still claims it; null when nobody does. */
  readonly holder: Claim | null;
}

export function auditOwners(
  before: OwnerAudit,
  assignment: Assignment,
  snapshot: GroupSnapshot,
  nowMs: number,
  timeoutMs: number,
): { readonly audit: OwnerAudit; readonly overdue: readonly Overdue[] } {
  const since = new Map<PartitionKey, { state: string; sinceMs: number }>();
  const overdue: Overdue[] = [];
  for (const [topic, owners] of assignment.owners) {
    owners.forEach((index, partition) => {
      const target = assignment.memberIds[index];
      if (target === undefined) return;
      const key = partitionKey(topic, partition);
      const claim = snapshot.owners.get(key);
      const holder = claim !== undefined && snapshot.members.has(claim.memberId) ? claim : null;
      if (holder?.memberId === target) return;
      const state = `${holder?.memberId ?? ''} ${holder?.claim ?? ''} ${target}`;
      const known = before.since.get(key);
      const entry = known?.state === state ? known : { state, sinceMs: nowMs };
      if (nowMs - entry.sinceMs < timeoutMs) {
        since.set(key, entry);
        return;
      }
      overdue.push({ partition: key, target, holder });
      // Reported once per period, not at every look.
      since.set(key, { state, sinceMs: nowMs });
    });
  }
  return { audit: { since }, overdue };
}
