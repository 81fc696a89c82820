/** The network between one worker and Redis, broken in each of the ways in which networks break. */
import type { ProxyMode } from '@millrace/testkit';
import { TOPOLOGIES, type Fault } from '../fault.ts';
import { LEASE_MS } from '../load.ts';
import type { Stage } from '../world/stage.ts';
import { DETECTION_MS, LOSES_NOTHING } from './bounds.ts';

const SHORT_MS = LEASE_MS / 3;
const LONG_MS = LEASE_MS + 1_500;

function cut(
  name: string,
  what: string,
  mode: (stage: Stage) => ProxyMode,
  // Sometimes over before anybody has noticed, sometimes long after the lease.
  durationsMs: readonly number[] = [SHORT_MS, LONG_MS],
): Fault {
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
      const cutMs = stage.random.pick(durationsMs) + stage.random.between(0, 1_000);
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

export const staleCommits = cut(
  'stale-commits',
  "a worker's commits arrive when its lease is over and its partitions are somebody else's",
  () => ({ kind: 'blackhole', direction: 'toServer', afterwards: 'deliver' }),
  [LONG_MS],
);
