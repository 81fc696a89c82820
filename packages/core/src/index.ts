export type {
  Claim,
  ClaimRequest,
  ClaimResult,
  DeposeReason,
  EvictionReason,
  GroupEvent,
  GroupSnapshot,
  GroupStore,
  GroupView,
  GroupWatch,
  HeartbeatResult,
  JoinResult,
  LeaderView,
  MemberDescription,
  MemberSigns,
  PublishedAssignment,
  PublishRequest,
  TakeOver,
  Target,
  TopicSubscription,
} from './ports/group-store.ts';
export type {
  AcquireRequest,
  AcquireResult,
  CommitResult,
  Fence,
  OffsetReset,
  PartitionStore,
  FenceRefusal,
  LogFingerprints,
  Progress,
  ReleaseResult,
  SeekResult,
  StoredBatch,
  TrimRequest,
  TrimResult,
} from './ports/partition-store.ts';
export {
  DEFAULT_TRIM_COMMITTED_AFTER_MS,
  type TopicCatalogue,
  type TopicEntry,
  type TopicLimits,
  type TopicStore,
  type VersionedLimits,
} from './ports/topic-store.ts';
export type { Clock, Random, Timer } from './ports/clock.ts';
export {
  ClosedError,
  ConfigError,
  DataError,
  FencedError,
  HandlerError,
  MillraceError,
  UnavailableError,
  errorFromCode,
  type ErrorCode,
  type ErrorOptionsWithDetails,
} from './errors.ts';
export { parseName, parsePartitionKey, partitionKey, type NameKind, type PartitionKey } from './names.ts';
export {
  distrustPresence,
  beginLook,
  initialLiveness,
  observeLiveness,
  type LivenessResult,
  type LivenessState,
  type Verdict,
} from './membership/liveness.ts';
export { chooseDeputies, untilNextWatchMs } from './membership/deputies.ts';
export { planAssignment, type AssignmentPlan } from './membership/plan-assignment.ts';
export { matchTopics, parseSubscription, resolveMembers } from './membership/subscription.ts';
export { reconcile, type ReconcileDecision } from './ownership/reconcile.ts';
export { heartbeatIntervalMs, leaseHealth, type LeaseHealth } from './ownership/lease.ts';
export { murmur2 } from './partitioning/murmur2.ts';
export { defaultPartitioner, type Partitioner, type PartitionerInput } from './partitioning/partitioner.ts';
export { createStickyPartitioner, type StickyPartitioner } from './partitioning/sticky-partitioner.ts';
export type { Assignment, AssignmentInput, AssignmentMember, Assignor } from './assignment/types.ts';
export {
  countMoves,
  emptyAssignment,
  isSameDistribution,
  partitionsByMember,
  partitionsOf,
} from './assignment/assignment.ts';
export { assignmentFromMembers, type MemberPartitions } from './assignment/assignment-from-members.ts';
export { rangeAssignor } from './assignment/range-assignor.ts';
export { roundRobinAssignor } from './assignment/round-robin-assignor.ts';
export {
  createStickyAssignor,
  stickyAssignor,
  type StickyAssignorOptions,
} from './assignment/sticky-assignor.ts';
export { verifyAssignment, type AssignmentProblem } from './assignment/verify-assignment.ts';
