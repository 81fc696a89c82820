/** `pnpm faults`: runs rows of the fault matrix against real servers and processes, and says what was broken by them. */
import { parseOptions, USAGE } from './options.ts';
import { runFaults } from './run-faults.ts';
import { hasMutant, runMutants, withMutant } from './run-mutants.ts';

const args = process.argv.slice(2);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    print(USAGE);
    return 0;
  }
  const options = parseOptions(args);
  const { allMutants, mutant, seeds } = options;
  if (allMutants) return (await runMutants(seeds[0] ?? 1, print)) ? 0 : 1;
  // The runner itself must know the scripts of the mutant, whose replies it may have to lose.
  if (mutant !== null && !hasMutant(mutant))
    return withMutant(mutant, args, (text) => void process.stdout.write(text));
  return (await runFaults(options, print)) ? 0 : 1;
}

process.exitCode = await run();
