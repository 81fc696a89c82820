/**
 * From what a member holds and what it is assigned, to what it does next. Incremental cooperative rebalancing
 * (KIP-429, KIP-848): only what changes hands is touched; what stays is not paused for a moment.
 */
import type { PartitionKey } from '../names.ts';

export interface ReconcileDecision {
  /** Owned and not assigned any more: drain, commit, release. */
  readonly revoke: readonly PartitionKey[];
  /** Assigned and not here: claim as far as their owners have released them. */
  readonly claim: readonly PartitionKey[];
}

/**
 * `owned`: partitions that run. `busy`: partitions that are being drained or acquired, or whose old handler call has
 * not come back; they are decided on again when that has ended, so that one partition never runs twice in one process.
 */
export function reconcile(
  owned: ReadonlySet<PartitionKey>,
  busy: ReadonlySet<PartitionKey>,
  target: Iterable<PartitionKey>,
): ReconcileDecision {
  const wanted = new Set(target);
  const revoke: PartitionKey[] = [];
  for (const partition of owned) if (!wanted.has(partition)) revoke.push(partition);
  const claim: PartitionKey[] = [];
  for (const partition of wanted) if (!owned.has(partition) && !busy.has(partition)) claim.push(partition);
  return { revoke, claim };
}
