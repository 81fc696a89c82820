import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LEASE_MS } from '../load.ts';
import type { WorkerProcess } from '../world/fleet.ts';
import type { Stage } from '../world/stage.ts';
import { DETECTION_MS, LEADER_MS, LOSES_NOTHING } from './bounds.ts';

/** Long enough that its partitions are somebody else's when it wakes. */
async function freeze(stage: Stage, victim: WorkerProcess): Promise<void> {
  await stage.inject(victim.proc, async () => {
    await victim.process.signal('SIGSTOP');
    await stage.load(LEASE_MS + stage.random.between(500, 2_000));
    await victim.process.signal('SIGCONT');
  });
}

export const freezeWorker: Fault = {
  name: 'freeze-worker',
  what: 'a worker process is frozen for longer than its lease, then goes on (SIGSTOP, SIGCONT)',
  kind: 'process',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: DETECTION_MS,
  redelivery: 'window',
  run: (stage) => freeze(stage, stage.anyWorker()),
};

export const freezeLeader: Fault = {
  name: 'freeze-leader',
  what: 'the worker that leads a group is frozen for longer than its lease, then goes on',
  kind: 'process',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: LEADER_MS,
  redelivery: 'window',
  run: async (stage) => freeze(stage, await stage.leader()),
};
