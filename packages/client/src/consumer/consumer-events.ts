/** What a consumer tells about its partitions and troubles: each event says what happened and why. */
import type { MillraceError } from '@millrace/core';
import type { ConsumerLogTruncatedEvent } from '../truncation/log-truncated.ts';

export interface OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Fencing token of this ownership: give it to whatever you write to, so that it can refuse a former owner. */
  readonly epoch: number;
}

export interface AssignedPartition extends OwnedPartition {
  /** First offset that will be delivered. */
  readonly offset: number;
}

export interface AssignedEvent {
  readonly generation: number;
  readonly partitions: readonly AssignedPartition[];
  readonly reason: string;
}

export interface RevokedEvent {
  /** Given up in order: what was processed is committed, and no other member begins before the listener has returned. */
  readonly partitions: readonly OwnedPartition[];
  readonly reason: string;
}

export type LostReason =
  /** A commit was refused: a newer owner exists. */
  | 'fenced'
  /** The leader removed this member, because it showed no sign of life. */
  | 'evicted'
  /** No renewal was acknowledged for a whole lease. */
  | 'lease-expired'
  /** No command was answered for a whole lease, though the lease itself was renewed. */
  | 'cut-off'
  /** Another process joined with the same instance id. */
  | 'replaced'
  /** The event loop stood still for longer than `eventLoopTimeoutMs`. */
  | 'event-loop-blocked'
  /** The log does not hold what was to be read next. */
  | 'log-changed'
  /** Redis has restarted or failed over, and may hold less than it did: what is left of it is where delivery goes on. */
  | 'server-changed';

export interface LostEvent {
  /** Somebody else's already, or about to be: nothing could be committed any more. */
  readonly partitions: readonly OwnedPartition[];
  readonly reason: LostReason;
  /** True when it was found out by a commit or a seek that Redis refused. */
  readonly commitRefused: boolean;
}

export interface RebalancedEvent {
  readonly generation: number;
  readonly assigned: number;
  readonly revoked: number;
  /** Partitions of this member now. */
  readonly owned: number;
}

export interface RecordsTrimmedEvent {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** First record that the group had not committed, and that the log does not hold any more. */
  readonly from: number;
  /** The log begins here. */
  readonly to: number;
  /** How many records that are: `to` less `from`. */
  readonly lost: number;
  /** Where delivery goes on, by `offsetReset`; null where it waits. Told again until a commit, or a seek, confirms it. */
  readonly next: number | null;
}

export interface ConsumerEvents {
  assigned: AssignedEvent;
  revoked: RevokedEvent;
  lost: LostEvent;
  rebalanced: RebalancedEvent;
  /** Records that were delivered here are gone from the log. Told as an `error`, too (`LOG_TRUNCATED`). */
  logTruncated: ConsumerLogTruncatedEvent;
  /**
   * The topic's limits (`maxAgeMs`, `onFull: 'trim'`) took records away before the group had consumed them. Told as an
   * `error`, too (`OFFSET_OUT_OF_RANGE`, or `NO_COMMITTED_OFFSET` where the partition waits).
   */
  recordsTrimmed: RecordsTrimmedEvent;
  error: MillraceError;
}

export type ConsumerEventName = keyof ConsumerEvents;
export type Listener<E extends ConsumerEventName> = (event: ConsumerEvents[E]) => void;

/**
 * Typed listeners. Not Node's EventEmitter: an `error` without a listener must not end the process, and a listener
 * that throws must not stop the consumer in the middle of a rebalance.
 */
export class ConsumerEmitter {
  readonly #listeners = new Map<ConsumerEventName, Set<(event: never) => void>>();
  readonly #onListenerError: (error: unknown, event: ConsumerEventName) => void;

  constructor(onListenerError: (error: unknown, event: ConsumerEventName) => void) {
    this.#onListenerError = onListenerError;
  }

  on<E extends ConsumerEventName>(event: E, listener: Listener<E>): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(event, listeners);
  }

  off<E extends ConsumerEventName>(event: E, listener: Listener<E>): void {
    this.#listeners.get(event)?.delete(listener);
  }

  /** False when nobody listens. */
  emit<E extends ConsumerEventName>(event: E, payload: ConsumerEvents[E]): boolean {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined || listeners.size === 0) return false;
    for (const listener of [...listeners] as Listener<E>[]) {
      try {
        listener(payload);
      } catch (error) {
        this.#onListenerError(error, event);
      }
    }
    return true;
  }
}
