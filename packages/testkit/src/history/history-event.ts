/**
 * What a history holds. Every process of a run writes one line for each event, the invocation before the thing itself is
 * done, so that a process which is killed has said what it was about to do.
 *
 * Names and times are plain JSON: `f` says what, `type` says which end of it, `id` joins the two ends.
 */

/** What an acknowledgement of a send has waited for. */
export type AckClass = 'memory' | 'replicated' | 'fsynced';

/** What a fault may take from a log without anybody having done wrong: nothing, what was written last, or all of it. */
export type MayLose = null | 'tail' | 'everything';

/** One partition of a topic. */
interface InPartition {
  readonly topic: string;
  readonly p: number;
}

/** One partition as one group consumes it. */
interface InGroup extends InPartition {
  readonly group: string;
}

/** One ownership. `server` is the identity that the acquire returned, where the product has one. */
interface InOwnership extends InGroup {
  readonly epoch: number;
  readonly nonce: string;
  readonly server?: string;
}

/** What is tried and then succeeds, fails, or is never heard of again: the fields of the two ends. */
export interface HistoryOperations {
  /** One record. Values are unique strings: the checker tells records apart by them. */
  send: {
    invoke: {
      readonly topic: string;
      readonly key?: string;
      readonly value: string;
      readonly acks: AckClass;
    };
    ok: { readonly p: number; readonly offset: number };
  };
  claim: {
    invoke: { readonly group: string; readonly partitions: readonly string[] };
    ok: { readonly claim: number; readonly granted: readonly string[] };
  };
  acquire: {
    invoke: InGroup & { readonly member: string; readonly nonce: string; readonly claim: number };
    ok:
      | {
          readonly status: 'ACQUIRED';
          readonly epoch: number;
          readonly committed: number;
          readonly logStart: number;
          readonly logEnd: number;
          /** Not null when `committed` is not what the group had committed, but where it was told to begin. */
          readonly reset: { readonly from: number | null } | null;
          readonly server?: string;
        }
      | { readonly status: 'SUPERSEDED' | 'NO_OFFSET' | 'UNKNOWN_PARTITION' };
  };
  commit: {
    invoke: InOwnership & { readonly offset: number };
    ok: { readonly status: string; readonly committed?: number };
  };
  release: { invoke: InOwnership; ok: { readonly status: string } };
  seek: {
    /** `nextNonce`: what proves the ownership afterwards. */
    invoke: InOwnership & { readonly offset: number; readonly nextNonce?: string };
    ok: { readonly status: string; readonly committed?: number };
  };
  /** One member becomes the leader of a group; `fail` when it was not given the lead. */
  elect: {
    invoke: { readonly group: string; readonly member: string };
    ok: { readonly leaderEpoch: number };
  };
  /** A leader publishes an assignment; refused as STALE when it leads no longer. */
  publish: {
    invoke: { readonly group: string; readonly leaderEpoch: number; readonly generation: number };
    ok: { readonly status: 'OK' | 'STALE' };
  };
  /** The call of a handler: invoke before its first statement, ok when it returned, fail when it threw. */
  deliver: {
    invoke: InGroup & { readonly epoch: number; readonly offset: number; readonly value: string };
    ok: object;
  };
  /** Written by the runner: invoke when the fault begins, ok when it has ended and everything is healed. */
  fault: {
    invoke: {
      readonly name: string;
      /** `proc` of the process that it hits, or the name of a server. */
      readonly target?: string;
      readonly mayLose: MayLose;
      /** Acknowledgements that this fault must not take back. */
      readonly survivedBy: readonly AckClass[];
      /** Longest time to the first delivery after it, ms; overrides the checker's option. */
      readonly resumeBoundMs?: number;
    };
    ok: object;
  };
}

/** What simply is so when it is written. `type` is `info` for what a process was told and `ok` for what the runner read. */
export interface HistoryFacts {
  assigned: { type: 'info'; fields: InGroup & { readonly epoch: number; readonly reason?: string } };
  revoked: { type: 'info'; fields: InGroup & { readonly epoch: number; readonly reason?: string } };
  lost: { type: 'info'; fields: InGroup & { readonly epoch: number; readonly reason?: string } };
  /** A report that the log went back: its end was `from` for all that this process knew, and is `to`. */
  truncated: {
    type: 'info';
    fields: InPartition & {
      readonly side: 'consumer' | 'producer';
      readonly group?: string;
      readonly from: number;
      readonly to: number;
    };
  };
  /** Records below `to` were removed. */
  trim: { type: 'info'; fields: InPartition & { readonly from: number; readonly to: number } };
  /** The group is done with a record that its handler never finished. */
  'dead-letter': {
    type: 'info';
    fields: InGroup & { readonly epoch: number; readonly offset: number; readonly value: string };
  };
  /** The whole log as the runner read it when all load had ended. */
  'final-log': {
    type: 'ok';
    fields: InPartition & {
      readonly logStart: number;
      readonly logEnd: number;
      readonly records: readonly (readonly [offset: number, value: string])[];
      /** Entries in the stream, and what XINFO STREAM counts as ever added (`entries-added`). */
      readonly entries?: number;
      readonly entriesAdded?: number;
      /** `max-deleted-entry-id` of XINFO STREAM. */
      readonly maxDeleted?: string;
    };
  };
  'final-committed': { type: 'ok'; fields: InGroup & { readonly committed: number } };
}

export type OperationName = keyof HistoryOperations;
export type FactName = keyof HistoryFacts;
export type InvokeFields<F extends OperationName> = HistoryOperations[F]['invoke'];
export type OkFields<F extends OperationName> = HistoryOperations[F]['ok'];
export type FactFields<F extends FactName> = HistoryFacts[F]['fields'];

/** When and by whom. `i` counts the events of one incarnation; `tMonoMs` is comparable between processes of one host. */
export interface EventStamp {
  readonly i: number;
  /** CLOCK_MONOTONIC, milliseconds with a fraction. */
  readonly tMonoMs: number;
  /** Milliseconds since 1970. */
  readonly tWallMs: number;
  /** 'worker-1', 'producer-2', 'runner'. */
  readonly proc: string;
  /** Another one for every start of the process. */
  readonly incarnation: string;
}

export type InvokeEvent<F extends OperationName = OperationName> = {
  [Name in F]: EventStamp & {
    readonly type: 'invoke';
    readonly f: Name;
    readonly id: number;
  } & InvokeFields<Name>;
}[F];

export type OkEvent<F extends OperationName = OperationName> = {
  [Name in F]: EventStamp & { readonly type: 'ok'; readonly f: Name; readonly id: number } & OkFields<Name>;
}[F];

/** `fail`: it definitely did not happen. `info`: nobody knows. */
export type FailureEvent<F extends OperationName = OperationName> = {
  [Name in F]: EventStamp & {
    readonly type: 'fail' | 'info';
    readonly f: Name;
    readonly id: number;
    readonly code?: string;
  };
}[F];

export type FactEvent<F extends FactName = FactName> = {
  [Name in F]: EventStamp & {
    readonly type: HistoryFacts[Name]['type'];
    readonly f: Name;
  } & FactFields<Name>;
}[F];

export type HistoryEvent = InvokeEvent | OkEvent | FailureEvent | FactEvent;
