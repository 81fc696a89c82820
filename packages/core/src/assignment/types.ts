/**
 * What an assignor gets and what it answers. Owns the shape only; building and reading one is in `assignment.ts`.
 *
 * An assignment of a million partitions has to be computed, compared and published in milliseconds by a process that
 * also renews its lease, so it is one `Int32Array` per topic and not a map of arrays of objects.
 */

/** A member as an assignor sees it. */
export interface AssignmentMember {
  readonly memberId: string;
  /** The resolved subscription: names only, patterns already expanded. Order and repetitions have no meaning. */
  readonly topics: readonly string[];
  /** Relative share that the member can carry, above 0; 1 by default. Only the weighted sticky assignor reads it. */
  readonly capacity?: number;
}

/** Which member owns which partition. Treat it as immutable: assignors return an unchanged one by reference. */
export interface Assignment {
  /** Every member of the group, idle ones too. Sorted by UTF-16 code unit, unique. `owners` holds indices into it. */
  readonly memberIds: readonly string[];
  /**
   * Topic to the owner of each partition, as an index into `memberIds`; -1 when nobody subscribes. Topics are sorted;
   * one that nobody subscribes to may be left out.
   */
  readonly owners: ReadonlyMap<string, Int32Array>;
}

export interface AssignmentInput {
  /** In any order, each `memberId` once. */
  readonly members: readonly AssignmentMember[];
  /** Partition count of every topic that exists. A subscription to a topic that is not in it has no effect. */
  readonly topics: ReadonlyMap<string, number>;
  /** The assignment to stay close to; `emptyAssignment` for a new group. It may name members and topics that are gone. */
  readonly current: Assignment;
}

/**
 * Computes who owns what. Pure: the answer depends on the content of the input and on nothing else, above all not on
 * the order of members or of map entries, so that any leader computes the same one. A result is checked with
 * `verifyAssignment` before it is published.
 */
export interface Assignor {
  /** Stable and unique: members of one group must agree on it. */
  readonly name: string;
  assign(input: AssignmentInput): Assignment;
}
