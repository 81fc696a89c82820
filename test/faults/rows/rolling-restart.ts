/** A deployment: workers are asked to end and started again, one after the other. */
import { TOPOLOGIES, type Fault } from '../fault.ts';
import { GROUPS, LEASE_MS, PARTITIONS, WORKERS } from '../load.ts';
import { ownersOf, untilBalanced } from '../world/fleet.ts';
import type { Stage } from '../world/stage.ts';
import { LOSES_NOTHING, MACHINE_MS } from './bounds.ts';

/** One member's share, while one is missing. */
const MOST_MOVES = Math.ceil(PARTITIONS / (WORKERS - 1));

export const rollingRestart: Fault = {
  name: 'rolling-restart',
  what: 'the dynamic workers are asked to end and started again, one after the other',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: MACHINE_MS,
  unownedBoundMs: MACHINE_MS,
  redelivery: 'none',
  run: (stage) =>
    stage.inject(null, async () => {
      const workers = stage.workers.filter(({ instanceId }) => instanceId === null);
      for (const worker of stage.random.shuffle(workers)) {
        await step(stage, () => worker.terminate());
        await step(stage, () => worker.start());
      }
    }),
};

export const rollingRestartStatic: Fault = {
  name: 'rolling-restart-static',
  what: 'the static workers are asked to end and started again within their lease, one after the other',
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: LEASE_MS + MACHINE_MS,
  // Their partitions wait for them.
  unownedBoundMs: LEASE_MS + MACHINE_MS,
  redelivery: 'none',
  run: (stage) =>
    stage.inject(null, async () => {
      const workers = stage.workers.filter(({ instanceId }) => instanceId !== null);
      for (const worker of stage.random.shuffle(workers))
        await step(stage, async () => {
          await worker.terminate();
          await worker.start();
        });
    }),
};

async function step(stage: Stage, change: () => Promise<void>): Promise<void> {
  const before = await owners(stage);
  const beganMs = performance.now();
  await change();
  // A static member that is away for longer than its lease lasts has left and joined: two changes. It has been away since
  // its last beat, and whoever looks has seen that a little earlier than it was due.
  const changes = performance.now() - beganMs > LEASE_MS / 2 ? 2 : 1;
  await untilBalanced(stage.fleet, stage.topic, PARTITIONS);
  const after = await owners(stage);
  const bound = MOST_MOVES * changes;
  for (const [index, group] of GROUPS.entries()) {
    const moved = [...(after[index] ?? [])].filter(([key, owner]) => before[index]?.get(key) !== owner);
    if (moved.length > bound)
      stage.report('excess-moves', `${moved.length} partitions of group ${group} moved (bound ${bound})`);
  }
}

function owners({ fleet, topic }: Stage): Promise<Map<string, string>[]> {
  return Promise.all(GROUPS.map((group) => ownersOf(fleet, group, topic)));
}
