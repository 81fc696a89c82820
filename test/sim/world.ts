/** What everything in one simulated world shares. */
import type { Oracle } from './oracle.ts';
import type { OwnershipWatch } from './ownership-watch.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimRedis } from './sim-redis.ts';
import type { Simulation } from './simulation.ts';

export interface GroupSettings {
  readonly name: string;
  readonly handler: 'eachRecord' | 'eachBatch';
  readonly leaseMs: number;
  readonly autoCommitIntervalMs: number;
  readonly drainTimeoutMs: number;
  readonly eventLoopTimeoutMs: number;
  readonly maxBufferedBytes: number;
}

export interface WorldSettings {
  readonly workers: number;
  /** So many of them come back under the same instance id. */
  readonly staticWorkers: number;
  readonly producers: number;
  readonly sendIntervalMs: number;
  readonly topics: ReadonlyMap<string, number>;
  readonly groups: readonly GroupSettings[];
  /** Of every topic: so soon that logs are trimmed while it all goes on, or not before it is over. */
  readonly trimCommittedAfterMs: number;
}

export interface World {
  readonly simulation: Simulation;
  readonly redis: SimRedis;
  readonly oracle: Oracle;
  readonly ownership: OwnershipWatch;
  readonly random: SeededRandom;
  readonly settings: WorldSettings;
  /** Nothing goes wrong any more, and handlers are quick: what is left to do is done soon. */
  isResting: boolean;
}

export function drawSettings(random: SeededRandom): WorldSettings {
  const topics = new Map([['orders', random.between(2, 5)]]);
  if (random.chance(0.4)) topics.set('audit', random.between(1, 3));
  const workers = random.between(2, 5);
  const groups = random.chance(0.4) ? ['billing', 'search'] : ['billing'];
  const drawn: Omit<WorldSettings, 'trimCommittedAfterMs'> = {
    workers,
    staticWorkers: random.chance(0.5) ? 0 : random.between(1, workers),
    producers: random.between(1, 2),
    sendIntervalMs: random.pick([20, 60, 150]),
    topics,
    groups: groups.map((name) => ({
      name,
      handler: random.chance(0.7) ? 'eachRecord' : 'eachBatch',
      leaseMs: random.pick([900, 1_500, 3_000]),
      autoCommitIntervalMs: random.pick([0, 20, 100]),
      drainTimeoutMs: random.pick([300, 1_000, 2_000]),
      eventLoopTimeoutMs: random.pick([2_000, 5_000]),
      maxBufferedBytes: random.pick([200, 2_000, 1_048_576]),
    })),
  };
  return { ...drawn, trimCommittedAfterMs: random.pick([0, 2_000, 3_600_000]) };
}
