/** One process of `runSeeds`: its seeds one after the other, each result to the parent. */
import { runSeed } from './run-seed.ts';
import type { SeedProcessTask } from './run-seeds.ts';

const { firstSeed, seeds, step, events } = JSON.parse(process.argv[2] ?? '') as SeedProcessTask;

for (let index = 0; index < seeds; index++) {
  const result = await runSeed({ seed: firstSeed + index * step, events });
  process.send?.(result);
}
// What is sent leaves before the channel closes.
process.disconnect?.();
