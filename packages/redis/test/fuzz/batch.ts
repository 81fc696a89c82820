/**
 * `node packages/redis/test/fuzz/batch.ts [--seconds N] [--seed S]`: hostile batches for as long as one likes (60 s). Exit
 * code 1 when one of them was neither an error nor what the layout says, or memory grew: with the seed that does it again.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { hostileBatch } from './hostile-batches.ts';
import { judge } from './judge.ts';

const RUNS_AT_A_TIME = 2_000;
/** What the decoder and the reader by the book hold of a batch or two, and what the collector leaves lying about. */
const MAX_GROWTH_MIB = 128;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const firstSeed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
if (!(seconds > 0) || !Number.isInteger(firstSeed)) {
  process.stderr.write('--seconds must be above 0, and --seed an integer\n');
  process.exit(2);
}

const counts = new Map<string, number>();
const property = fc.property(hostileBatch, (hostile) => {
  const judgement = judge(hostile);
  if ('defect' in judgement)
    throw new Error(`${hostile.attack}: ${judgement.defect}\n${hostile.bytes.toString('hex')}`);
  counts.set(judgement.outcome, (counts.get(judgement.outcome) ?? 0) + 1);
});

const maxRssMib = (): number => process.resourceUsage().maxRSS / 1024;

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

const end = performance.now() + seconds * 1_000;
let warmMib = 0;
let runs = 0;
for (let seed = firstSeed; runs === 0 || performance.now() < end; seed++) {
  const result = fc.check(property, { seed, numRuns: RUNS_AT_A_TIME });
  if (result.failed) fail(`--seed ${seed}: ${fc.defaultReportMessage(result) ?? 'failed'}`);
  // What zlib gave up is closed on the next tick: without a turn of the event loop all of it would be kept.
  await new Promise((resolve) => setImmediate(resolve));
  if (runs === 0) warmMib = maxRssMib();
  runs += RUNS_AT_A_TIME;
  const grownMib = maxRssMib() - warmMib;
  if (grownMib > MAX_GROWTH_MIB) fail(`--seed ${seed}: memory grew by ${grownMib.toFixed(0)} MiB`);
}
process.stdout.write(
  `${runs} hostile batches from --seed ${firstSeed}: ${JSON.stringify(Object.fromEntries(counts))}; ` +
    `${warmMib.toFixed(0)} MiB after ${RUNS_AT_A_TIME}, ${maxRssMib().toFixed(0)} MiB at most\n`,
);
