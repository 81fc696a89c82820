/** `pnpm faults`: runs rows of the fault matrix against real servers and processes, and says what was broken by them. */
import { parseOptions } from './options.ts';
import { runFaults } from './run-faults.ts';

const options = parseOptions(process.argv.slice(2));
process.exitCode = (await runFaults(options, (line) => void process.stdout.write(`${line}\n`))) ? 0 : 1;
