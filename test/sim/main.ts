/** Entry of `pnpm sim`: the options, and what is printed. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Fault } from './faults.ts';
import { EXPECTED, findMutant } from './find-mutant.ts';
import { runSeed, type SeedResult } from './run-seed.ts';
import { runSeeds } from './run-seeds.ts';
import { shrink } from './shrink.ts';

const USAGE = `pnpm sim: simulates seeds and says which invariants held. Exit 1 when one broke. See test/sim/README.md.

  --seeds N          how many (200)          --first-seed S   where to begin (1)
  --events N         of each seed (5000)     --jobs N         processes (one per core)
  --seed S           one seed, with the last events before its failure; --verbose: all of them
  --seed S --shrink  the shortest list of faults that still breaks the same invariant
  --seed S --faults FILE   with these faults instead of its own, one a line, as --shrink prints them
  --mutant NAME      with a defect of test/mutants
  --mutants          each of them, until an invariant breaks
  --json             the last line as JSON`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    seeds: { type: 'string', default: '200' },
    'first-seed': { type: 'string', default: '1' },
    events: { type: 'string', default: '5000' },
    jobs: { type: 'string' },
    seed: { type: 'string' },
    faults: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const events = Number(values.events);

function tellFailure({ seed, failure, faults }: SeedResult): void {
  if (failure === null) return;
  const { invariant, what, event, atMs } = failure;
  say(`seed ${seed}: ${invariant} at event ${event} (${Math.round(atMs)} ms): ${what}`);
  say(`  ${faults.length} faults before; replay with: pnpm sim --events ${events} --seed ${seed}`);
}

async function one(seed: number): Promise<boolean> {
  const onEvent = (event: number, atMs: number, where: string, what: string): void =>
    say(`${event} ${atMs.toFixed(2)} ms ${where}: ${what}`);
  const lines = values.faults === undefined ? null : readFileSync(values.faults, 'utf8').trim().split('\n');
  const result = await runSeed({
    seed,
    events,
    ...(lines === null ? {} : { faults: lines.map((line) => JSON.parse(line) as Fault) }),
    ...(values.verbose ? { onEvent } : {}),
  });
  for (const line of result.trace) say(line);
  tellFailure(result);
  const { failure, events: ran, virtualMs, delivered, traceHash } = result;
  if (values.json) say(JSON.stringify({ seed, events: ran, virtualMs, delivered, traceHash, failure }));
  else say(`seed ${seed}: ${ran} events, ${Math.round(virtualMs)} ms of its world, trace ${traceHash}`);
  return failure === null;
}

async function shorten(seed: number): Promise<boolean> {
  const onShorter = ({ faults }: SeedResult): void => say(`${faults.length} faults are enough`);
  const result = await shrink({ seed, events, onShorter });
  if (result === null) {
    say(`seed ${seed} does not fail`);
    return true;
  }
  for (const line of result.trace) say(line);
  for (const fault of result.faults) say(JSON.stringify(fault));
  tellFailure(result);
  return false;
}

async function many(): Promise<boolean> {
  const beganMs = performance.now();
  const summary = await runSeeds({
    firstSeed: Number(values['first-seed']),
    seeds: Number(values.seeds),
    events,
    ...(values.jobs === undefined ? {} : { jobs: Number(values.jobs) }),
    ...(values.mutant === undefined ? {} : { mutant: values.mutant }),
    onResult: tellFailure,
  });
  const seconds = (performance.now() - beganMs) / 1_000;
  const { failures, ...sums } = summary;
  const eventsPerSecond = Math.round(summary.events / seconds);
  if (values.json) {
    const broken = failures.map(({ seed, failure }) => ({ seed, ...failure }));
    say(JSON.stringify({ ...sums, seconds: Math.round(seconds), eventsPerSecond, failures: broken }));
  } else {
    say(
      `${summary.seeds} seeds, ${summary.events} events in ${seconds.toFixed(0)} s (${eventsPerSecond} a second): ` +
        `${summary.appended} records appended, ${summary.delivered} delivered, ${summary.lost} lost by failovers; ` +
        `unowned in calm for at most ${summary.longestUnownedMs} ms, at rest after at most ${summary.longestRestMs} ms; ` +
        `${failures.length} seeds failed`,
    );
  }
  return failures.length === 0;
}

async function everyMutant(): Promise<boolean> {
  const verdicts = [];
  for (const mutant of Object.keys(EXPECTED)) {
    const verdict = await findMutant(mutant, events);
    verdicts.push(verdict);
    const { isFound, seeds, invariant, what } = verdict;
    say(
      `${isFound ? 'found' : 'NOT FOUND'} ${mutant} in ${seeds} seeds: ${invariant ?? 'nothing broke'}: ${what ?? ''}`,
    );
  }
  if (values.json) say(JSON.stringify(verdicts));
  return verdicts.every(({ isFound }) => isFound);
}

function choose(): Promise<boolean> {
  if (values.mutants) return everyMutant();
  if (values.seed === undefined) return many();
  return values.shrink ? shorten(Number(values.seed)) : one(Number(values.seed));
}

if (values.help) {
  say(USAGE);
} else {
  const isGood = await choose();
  process.exitCode = isGood ? 0 : 1;
}
