/**
 * `MILLRACE_MUTANT=<name> node --import ./test/mutants/register.ts …`: every module that this process loads, also in its
 * worker threads, is that of the mutant. Fails where there is no mutant of this name, or an edit of it does not fit.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { applyMutant } from './apply-mutant.ts';
import { MUTANTS } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const name = process.env['MILLRACE_MUTANT'];
const mutant = MUTANTS.find((candidate) => candidate.name === name);
if (mutant === undefined) {
  const names = MUTANTS.map((candidate) => candidate.name).join(', ');
  throw new Error(
    `MILLRACE_MUTANT is ${name === undefined ? 'not set' : `"${name}"`}: it names one of ${names}`,
  );
}

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.startsWith('file:') || loaded.source === undefined || loaded.source === null) return loaded;
    const path = fileURLToPath(url);
    if (!path.startsWith(ROOT)) return loaded;
    const file = path.slice(ROOT.length);
    if (file !== 'packages/redis/src/generated/lua.ts' && !mutant.edits.some((edit) => edit.file === file))
      return loaded;
    const source =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    return { ...loaded, source: applyMutant(mutant, file, source) ?? source };
  },
});
