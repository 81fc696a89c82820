/** Several faults at once, other ones all the time, with calm in between: what no table has thought of. */
import type { Fault, FaultKind, TopologyName } from '../fault.ts';
import { restoreFleet } from '../world/fleet.ts';
import type { Stage } from '../world/stage.ts';
import { LOSES_TAIL } from './bounds.ts';

const KINDS: readonly FaultKind[] = ['process', 'network', 'server'];
/** After the last fault everything must be well again within it. */
const CONVERGENCE_MS = 30_000;
const CALM_MS = 2_000;
/** Of the rounds: nothing happens in one of four. */
const CALM_SHARE = 0.25;

/** For `budgetMs`, then until everything has converged. */
export function mixed(topology: TopologyName, faults: readonly Fault[], budgetMs: number): Fault {
  return {
    name: 'mixed',
    what: 'random subsets of the other rows, several faults at once',
    kind: 'alone',
    topologies: [topology],
    losses: LOSES_TAIL(),
    resumeBoundMs: budgetMs + CONVERGENCE_MS,
    redelivery: 'window',
    async run(stage) {
      const endMs = performance.now() + budgetMs;
      while (performance.now() < endMs) {
        if (stage.random.next() < CALM_SHARE) await stage.load(CALM_MS);
        else await strike(stage, subset(stage, faults), budgetMs + CONVERGENCE_MS);
        await restoreFleet(stage.fleet);
      }
      await stage.untilResumed(CONVERGENCE_MS);
    },
  };
}

/** At least one, at most one of each kind. */
function subset({ random, topology }: Stage, faults: readonly Fault[]): Fault[] {
  const kinds = random.shuffle(KINDS).slice(0, random.between(1, KINDS.length));
  return kinds.flatMap((kind) => {
    const choices = faults.filter((fault) => fault.kind === kind && fault.topologies.includes(topology));
    return choices.length === 0 ? [] : [random.pick(choices)];
  });
}

/** All of them together; each begins a little after the one before. Throws the first failure when all have ended. */
async function strike(stage: Stage, faults: readonly Fault[], resumeBoundMs: number): Promise<void> {
  const ends = await Promise.allSettled(
    faults.map(async (fault, index) => {
      await stage.load(index * stage.random.between(0, 500));
      await fault.run(stage.forFault(fault, resumeBoundMs));
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
