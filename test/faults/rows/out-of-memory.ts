import { TOPOLOGIES, type Fault } from '../fault.ts';
import type { Stage } from '../world/stage.ts';
import { LOSES_NOTHING, MACHINE_MS } from './bounds.ts';

/** For the groups to drain while nothing can be appended. */
const DRAIN_MS = 10_000;

export const outOfMemory: Fault = {
  name: 'out-of-memory',
  what: 'no server takes more data (maxmemory, noeviction): appends are refused, everything else goes on',
  // Nobody joins and nothing is claimed meanwhile: with a worker that dies it cannot drain.
  kind: 'alone',
  topologies: TOPOLOGIES,
  losses: LOSES_NOTHING,
  resumeBoundMs: MACHINE_MS,
  redelivery: 'none',
  async run(stage) {
    await stage.inject(null, async () => {
      try {
        await setMaxMemory(stage, '1');
        await stage.load(1_000);
        // Commits and heartbeats are accepted: what is in the logs is consumed to its end.
        await stage.untilResumed(DRAIN_MS);
      } finally {
        await setMaxMemory(stage, '0');
      }
    });
  },
};

async function setMaxMemory({ servers }: Stage, bytes: string): Promise<void> {
  for (const { admin } of servers.nodes) await admin.config('SET', 'maxmemory', bytes);
}
