/** Where a run stands: written by the run, read by the view. Plain data, so that the view can be tested without a run. */

export type WorkerStatus =
  | 'starting'
  | 'running'
  /** Got SIGTERM and is leaving in order. */
  | 'leaving'
  | 'left'
  /** Got SIGKILL from us. */
  | 'killed'
  /** Ended by itself: nothing may do that. */
  | 'failed';

export interface WorkerState {
  /** `w1`, `w2`, … */
  readonly name: string;
  pid: number;
  status: WorkerStatus;
  /** Id in the group; empty until it has joined. */
  memberId: string;
  /** As the group sees it, sorted. */
  partitions: readonly number[];
  /** Records that it has handled. */
  handled: number;
}

export type HappeningKind = 'group' | 'kill' | 'leave' | 'trouble';

export interface Happening {
  /** Milliseconds since the run began. */
  readonly atMs: number;
  readonly kind: HappeningKind;
  readonly text: string;
}

export type Phase = 'preparing' | 'joining' | 'flowing' | 'draining' | 'closing' | 'judging';

export interface RunState {
  phase: Phase;
  /** What is played, e.g. the folder. */
  readonly title: string;
  readonly startedAtMs: number;
  readonly records: number;
  readonly partitionCount: number;
  /** Records acknowledged by Redis. */
  produced: number;
  /** Records applied at least once. */
  applied: number;
  readonly workers: WorkerState[];
  /** Member id of the leader; empty while there is none. */
  leader: string;
  generation: number;
  readonly happenings: Happening[];
}

export function report(state: RunState, nowMs: number, kind: HappeningKind, text: string): void {
  state.happenings.push({ atMs: nowMs - state.startedAtMs, kind, text });
}

export function isAlive(worker: WorkerState): boolean {
  return worker.status === 'starting' || worker.status === 'running' || worker.status === 'leaving';
}

/** `0-3 7 9-10`: short enough for a table, also with a thousand partitions. Expects rising order. */
export function formatPartitions(partitions: readonly number[]): string {
  const runs: string[] = [];
  for (let i = 0; i < partitions.length; i += 1) {
    const first = partitions[i] ?? 0;
    while (partitions[i + 1] === (partitions[i] ?? 0) + 1) i += 1;
    const last = partitions[i] ?? 0;
    runs.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return runs.join(' ');
}
