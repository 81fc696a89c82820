/**
 * `pnpm demo`: plays the history of a git repository through worker processes, kills some of them on the way, and
 * compares what they have built with what git says. Exit code 0: all is well; 1: it is not; 2: wrong usage, or nothing
 * to play; 130: interrupted.
 */
import { provideRedis } from '@millrace/testkit';

import { chooseHistory } from './history/choose-history.ts';
import { NoHistoryError } from './history/git-history.ts';
import { parseCommandLine, USAGE } from './options.ts';
import type { DemoOptions } from './options.ts';
import { runDemo } from './run/run-demo.ts';
import type { RunResult } from './run/run-demo.ts';
import type { RunState } from './run/run-state.ts';
import { describeResult, isGood, summarize } from './summary.ts';
import { COLOURED, PLAIN } from './view/render-frame.ts';
import { createView, NO_VIEW } from './view/view.ts';

const GOOD = 0;
const BAD = 1;
const NOTHING_TO_DO = 2;
const INTERRUPTED = 130;

process.exit(await main());

async function main(): Promise<number> {
  // pnpm runs scripts in the package's folder, and says where the command was typed.
  const parsed = parseCommandLine(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd());
  switch (parsed.kind) {
    case 'help':
      await print(process.stdout, USAGE);
      return GOOD;
    case 'invalid':
      await print(process.stderr, `${parsed.message}\nSee: pnpm demo --help`);
      return NOTHING_TO_DO;
    case 'run':
      break;
    default:
      parsed satisfies never;
  }
  const interrupted = interruption();
  try {
    return await play(parsed.options, interrupted);
  } catch (error) {
    if (interrupted.aborted) {
      await print(process.stderr, 'Interrupted. Every worker was ended.');
      return INTERRUPTED;
    }
    await print(process.stderr, error instanceof Error ? error.message : String(error));
    return error instanceof NoHistoryError ? NOTHING_TO_DO : BAD;
  }
}

async function play(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const { json, workers, partitions, kill, rate } = options;
  const progress = json ? process.stderr : process.stdout;
  const view = json && !process.stderr.isTTY ? NO_VIEW : createView(progress, process.env);
  if (options.source.kind === 'generated') view.say('Making up a history …');
  await using chosen = await chooseHistory(options.source);
  // A long history takes a while to be counted.
  view.say(`Reading the ${chosen.title} …`);
  const records = await chosen.history.countChanges();
  const files = (await chosen.history.tree()).size;
  signal.throwIfAborted();
  await using redis = await provideRedis();

  const { history, title } = chosen;
  const request = { redisUrl: redis.url, history, title, records, workers, partitions, kill, rate, signal };
  const leftOver: string[] = [];
  let result: RunResult;
  try {
    const onStart = (state: RunState): void => view.follow(state);
    result = await runDemo({ ...request, onStart, onLeftOver: (text) => leftOver.push(text) });
  } finally {
    view.stop();
    for (const text of leftOver) await print(process.stderr, text);
  }

  const facts = { records, workers, partitions, kill, files };
  const isColoured = progress.isTTY && progress.hasColors() && !process.env['NO_COLOR'];
  const words = describeResult(facts, result, isColoured ? COLOURED : PLAIN);
  if (!json) await print(process.stdout, `\n${words}`);
  else {
    // Somebody has to be able to see from a log what went wrong.
    if (!isGood(facts, result)) await print(process.stderr, words);
    await print(process.stdout, JSON.stringify(summarize(facts, result)));
  }
  return isGood(facts, result) ? GOOD : BAD;
}

/** Aborts on the first Ctrl-C or SIGTERM, so that everything is taken down; a second one ends at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort(new Error('interrupted'));
    });
  }
  return controller.signal;
}

/** Resolves when the text is out: what waits in a pipe would be cut off by `process.exit`. */
async function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  await new Promise<void>((resolve) => stream.write(`${text}\n`, () => resolve()));
}
