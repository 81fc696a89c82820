/** The network between one worker and Redis, broken in each of the ways in which networks break. */
import type { ProxyMode } from '@millrace/testkit';
import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LEASE_MS } from '../load.ts';
import type { Stage } from '../world/stage.ts';
import { DETECTION_MS, LOSES_NOTHING } from './bounds.ts';

function cut(name: string, what: string, mode: (stage: Stage) => ProxyMode): Fault {
  return {
    name,
    what,
    kind: 'network',
    topologies: TOPOLOGIES,
    losses: LOSES_NOTHING,
    resumeBoundMs: DETECTION_MS,
    redelivery: 'window',
    async run(stage) {
      const victim = stage.anyWorker();
      // Sometimes over before anybody has noticed, sometimes long after the lease.
      const cutMs = stage.random.pick([LEASE_MS / 3, LEASE_MS + 1_500]) + stage.random.between(0, 1_000);
      await stage.inject(victim.proc, async () => {
        using _ = stage.servers.network(victim.proc).apply(mode(stage));
        await stage.load(cutMs);
      });
    },
  };
}

const afterwards = ({ random }: Stage) => random.pick(['deliver', 'reset'] as const);

export const cutBothWays = cut('cut-both-ways', 'nothing passes between a worker and Redis', (stage) => ({
  kind: 'blackhole',
  afterwards: afterwards(stage),
}));

export const cutToServer = cut('cut-to-server', 'what a worker sends does not arrive', (stage) => ({
  kind: 'blackhole',
  direction: 'toServer',
  afterwards: afterwards(stage),
}));

export const cutToWorker = cut('cut-to-worker', 'what Redis answers a worker does not arrive', (stage) => ({
  kind: 'blackhole',
  direction: 'toClient',
  afterwards: afterwards(stage),
}));

export const resetConnections = cut(
  'reset-connections',
  "a worker's connections are reset, new ones too",
  () => ({
    kind: 'reset',
  }),
);

export const halfOpen = cut(
  'half-open',
  'one side of the connections between a worker and Redis is gone, the other is not told',
  ({ random }) => ({ kind: 'halfOpen', gone: random.pick(['client', 'server'] as const) }),
);
