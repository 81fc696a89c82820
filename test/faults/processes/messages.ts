/** What the runner and its processes say to each other. */
import type { AckClass } from '@millrace/testkit';
import type { ConnectOptions } from 'millrace';

/** Of a worker and of a producer alike: to whom they connect, and where they write. */
export interface ProcessSettings {
  readonly proc: string;
  readonly connect: ConnectOptions;
  /** Directory of the histories of what comes before the first row. */
  readonly directory: string;
}

export interface WorkerSettings extends ProcessSettings {
  readonly instanceId: string | null;
}

export interface ProducerSettings extends ProcessSettings {
  readonly acks: AckClass;
  /** That must have a record before it is acknowledged as replicated: all, or the one without it can be promoted. */
  readonly replicas: number;
}

/** From here on the history goes into `directory`. Producers send to `topic`, until they are told to stop. */
export interface BeginRow {
  readonly type: 'row';
  readonly directory: string;
  readonly topic: string;
}

/** The wall clock of this process is wrong by so much from now on. */
export interface ShiftClock {
  readonly type: 'clock';
  readonly shiftMs: number;
}

export type ToWorker =
  | BeginRow
  | ShiftClock
  | { readonly type: 'ask' }
  /** Stands still for so long: nothing of this process' main thread runs. */
  | { readonly type: 'block'; readonly ms: number };

export interface Membership {
  readonly memberId: string;
  readonly isLeader: boolean;
  /** `topic/partition` of what it owns. */
  readonly partitions: readonly string[];
}

export type FromWorker =
  | { readonly type: 'joined' }
  | { readonly type: 'row'; readonly topic: string }
  | { readonly type: 'state'; readonly groups: Readonly<Record<string, Membership>> }
  | { readonly type: 'error'; readonly group: string; readonly code: string; readonly message: string };

export type ToProducer =
  | BeginRow
  | ShiftClock
  /** No new record; answers when everything that was sent is settled. */
  | { readonly type: 'stop' }
  /** One record of its own. */
  | { readonly type: 'send'; readonly value: string; readonly bytes: number };

export type FromProducer =
  | { readonly type: 'ready' }
  | { readonly type: 'row'; readonly topic: string }
  | { readonly type: 'stopped'; readonly sent: number }
  | { readonly type: 'error'; readonly code: string; readonly message: string };
