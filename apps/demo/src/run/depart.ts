/** Sends workers away while records flow: some with SIGKILL, one in order. */
import { setTimeout as delay } from 'node:timers/promises';

import type { Sink } from '../sink/sink.ts';
import type { Kill } from '../verdict/evidence.ts';
import { report } from './run-state.ts';
import type { RunState, WorkerState } from './run-state.ts';
import type { Departure } from './schedule.ts';
import type { WorkerFleet } from './worker-fleet.ts';

export interface DepartureContext {
  readonly state: RunState;
  readonly fleet: WorkerFleet;
  readonly sink: Sink;
  /** True while every partition has a living owner. */
  isSettled(): boolean;
  /** A worker has gone: the group counts as unsettled until somebody has looked again. */
  onDeparted(): void;
  readonly signal: AbortSignal;
}

const POLL_MS = 10;

/**
 * One departure after the other, each when so many records were applied and the group has settled after the one before:
 * how long a hand-over takes can only be said of one at a time. Resolves when the last has gone.
 */
export async function depart(departures: readonly Departure[], context: DepartureContext): Promise<Kill[]> {
  const { state, fleet, sink } = context;
  const kills: Kill[] = [];
  for (const { kind, afterApplied } of departures) {
    let worker: WorkerState | undefined;
    for (;;) {
      context.signal.throwIfAborted();
      if (state.applied >= afterApplied && context.isSettled()) worker = choose(kind, state);
      if (worker !== undefined) break;
      await delay(POLL_MS);
    }
    const owned = `${worker.partitions.length} partition${worker.partitions.length === 1 ? '' : 's'}`;
    if (kind === 'leave') {
      report(
        state,
        Date.now(),
        'leave',
        `${worker.name} is asked to leave in order (SIGTERM); it owns ${owned}`,
      );
      await fleet.leave(worker);
    } else {
      const role = worker.memberId === state.leader ? ', the leader,' : '';
      // Asked for before the kill: the round trip counts for the wait, never against it.
      const atMs = await sink.nowMs();
      await fleet.kill(worker);
      kills.push({ worker: worker.name, atMs });
      report(state, Date.now(), 'kill', `${worker.name}${role} is killed (SIGKILL); it owned ${owned}`);
    }
    context.onDeparted();
  }
  return kills;
}

/** The leader where it is asked for; otherwise the worker that most depends on, and not the leader. */
function choose(kind: Departure['kind'], { workers, leader }: RunState): WorkerState | undefined {
  const running = workers.filter(({ status }) => status === 'running');
  if (kind === 'kill-leader') return running.find(({ memberId }) => memberId === leader);
  return running
    .filter(({ memberId }) => memberId !== leader)
    .sort((a, b) => b.partitions.length - a.partitions.length)[0];
}
