/** What the leader publishes, from what it read: pure, so that two leaders with one input publish the same. */
import { countMoves, emptyAssignment } from '../assignment/assignment.ts';
import type { Assignment, AssignmentInput, Assignor } from '../assignment/types.ts';
import { verifyAssignment } from '../assignment/verify-assignment.ts';
import { ConfigError } from '../errors.ts';
import { parsePartitionKey, type PartitionKey } from '../names.ts';
import type { Claim, GroupSnapshot } from '../ports/group-store.ts';
import { resolveMembers } from './subscription.ts';

export interface AssignmentPlan {
  readonly assignment: Assignment;
  readonly moves: number;
  /** Entries of the owners hash that dead members left for partitions that are assigned to nobody. */
  readonly orphans: ReadonlyMap<PartitionKey, Claim>;
}

/** Throws `INVALID_ASSIGNMENT` (ConfigError) when a user's assignor breaks a rule; the group keeps what it has. */
export function planAssignment(
  assignor: Assignor,
  snapshot: GroupSnapshot,
  topics: ReadonlyMap<string, number>,
  current: Assignment,
): AssignmentPlan {
  // A member that leaves keeps what it owns until it is drained, partition by partition, and gets nothing new.
  const staying = [...snapshot.members.values()].filter((member) => !member.isLeaving);
  const input = { members: resolveMembers(staying, topics), topics, current };
  const assignment = staying.length === 0 ? emptyAssignment : callAssignor(assignor, input);
  const problems = verifyAssignment(input, assignment);
  if (problems.length > 0) {
    throw invalid(
      assignor,
      `gave ${problems.length} invalid entries, the first: ${JSON.stringify(problems[0])}`,
    );
  }
  return {
    assignment,
    moves: countMoves(current, assignment),
    orphans: findOrphans(snapshot, assignment),
  };
}

function callAssignor(assignor: Assignor, input: AssignmentInput): Assignment {
  try {
    return assignor.assign(input);
  } catch (error) {
    throw invalid(assignor, `failed: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function invalid(assignor: Assignor, what: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'INVALID_ASSIGNMENT',
    `assignor "${assignor.name}" ${what}; the group keeps the assignment it has`,
    {
      cause,
    },
  );
}

/**
 * Entries of living members are not touched: they may be draining still, and release comes before grant. They take
 * their entries away themselves; who does not is found by the audit as soon as somebody waits for the partition.
 */
function findOrphans(snapshot: GroupSnapshot, assignment: Assignment): ReadonlyMap<PartitionKey, Claim> {
  const orphans = new Map<PartitionKey, Claim>();
  for (const [key, claim] of snapshot.owners) {
    if (snapshot.members.has(claim.memberId)) continue;
    const { topic, partition } = parsePartitionKey(key);
    const owner = assignment.owners.get(topic)?.[partition];
    if (owner === undefined || owner < 0) orphans.set(key, claim);
  }
  return orphans;
}
