/** What the tests of this folder share: one world per file, whose histories stay where a row was not clean. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TopologyName } from './fault.ts';
import { faultsFor } from './matrix.ts';
import { isClean, type Verdict } from './verdict/verdict.ts';
import { World } from './world/world.ts';

export interface SmokeWorld extends AsyncDisposable {
  run(fault: string): Promise<Verdict>;
}

export async function startSmokeWorld(topology: TopologyName): Promise<SmokeWorld> {
  const directory = await mkdtemp(join(tmpdir(), `millrace-faults-${topology}-`));
  const world = await World.start({ topology, seed: 1, mutant: null, keep: false, directory });
  let isAllClean = true;
  return {
    async run(name) {
      const [fault] = faultsFor(topology, [name], 0);
      if (fault === undefined) throw new Error(`${name} is no fault of topology ${topology}`);
      const verdict = await world.run(fault);
      isAllClean &&= isClean(verdict);
      return verdict;
    },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      if (isAllClean) await rm(directory, { recursive: true });
    },
  };
}
