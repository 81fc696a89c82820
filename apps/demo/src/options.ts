/** The command line of the demo: what can be asked for, and what cannot work. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly source: HistorySource;
  readonly workers: number;
  readonly partitions: number;
  /** How many workers get SIGKILL. One more leaves in order. */
  readonly kill: number;
  /** Records a second; undefined: chosen by the length of the history. */
  readonly rate: number | undefined;
  readonly json: boolean;
}

export type HistorySource =
  /** The repository that this file stands in. */
  | { readonly kind: 'own' }
  | { readonly kind: 'folder'; readonly directory: string }
  /** A temporary repository with at least so many changes. */
  | { readonly kind: 'generated'; readonly changes: number };

export type ParsedCommandLine =
  | { readonly kind: 'run'; readonly options: DemoOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'invalid'; readonly message: string };

export const USAGE = `Plays the history of a git repository through a group of worker processes, kills some of them,
and compares what they have built with what git says.

Usage: pnpm demo [options]

  --repo DIR       repository whose history is played (default: this one)
  --generate N     play a made-up history of at least N changes instead
  --workers N      worker processes (default 4)
  --partitions N   partitions of the topic (default 16)
  --kill N         workers that get SIGKILL on the way, the leader first (default 1);
                   one more leaves in order
  --rate N         records a second (default: so that the run takes about 15 seconds)
  --json           print one JSON object as the last line, and no live view
  --help           print this

Redis: the one of REDIS_URL, or a private one that is gone afterwards.
Exit code: 0 nothing lost, nothing out of order, trees equal; 1 otherwise; 2 wrong usage or no history.`;

/** `callerDirectory` is where the person typed the command: `--repo` is relative to it. */
export function parseCommandLine(args: readonly string[], callerDirectory: string): ParsedCommandLine {
  // `pnpm demo -- --json` hands the dashes on.
  const given = args[0] === '--' ? args.slice(1) : args;
  let values: ReturnType<typeof parseValues>;
  try {
    values = parseValues(given);
  } catch (error) {
    return { kind: 'invalid', message: error instanceof Error ? error.message : String(error) };
  }
  if (values.help === true) return { kind: 'help' };

  const problems: string[] = [];
  const count = (name: string, text: string | undefined, range: Range): number => {
    if (text === undefined) return range.preset;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= range.min && value <= range.max) return value;
    problems.push(`--${name} ${JSON.stringify(text)}: give a whole number from ${range.min} to ${range.max}`);
    return range.preset;
  };
  const workers = count('workers', values.workers, { min: 2, max: 200, preset: 4 });
  const partitions = count('partitions', values.partitions, { min: 1, max: 1024, preset: 16 });
  const kill = count('kill', values.kill, { min: 0, max: 198, preset: 1 });
  const rate = count('rate', values.rate, { min: 1, max: 1_000_000, preset: 0 });
  const changes = count('generate', values.generate, { min: 1, max: 10_000_000, preset: 0 });
  if (values.repo !== undefined && values.generate !== undefined) {
    problems.push('--repo and --generate: give one of them');
  }
  if (values.repo === '') problems.push('--repo: name a folder');
  if (problems.length === 0 && workers < kill + 2) {
    problems.push(
      `--workers ${workers} --kill ${kill}: ${kill} ${kill === 1 ? 'is' : 'are'} killed, one leaves in order, and at ` +
        `least one must stay; give --workers ${kill + 2} or more, or --kill ${workers - 2} or fewer`,
    );
  }
  if (problems.length > 0) return { kind: 'invalid', message: problems.join('\n') };

  return {
    kind: 'run',
    options: {
      source: sourceOf(values.repo, changes, callerDirectory),
      workers,
      partitions,
      kill,
      rate: rate === 0 ? undefined : rate,
      json: values.json === true,
    },
  };
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** Stands for "not given"; need not be in the range. */
  readonly preset: number;
}

function parseValues(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      repo: { type: 'string' },
      generate: { type: 'string' },
      workers: { type: 'string' },
      partitions: { type: 'string' },
      kill: { type: 'string' },
      rate: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values;
}

function sourceOf(repo: string | undefined, changes: number, callerDirectory: string): HistorySource {
  if (changes > 0) return { kind: 'generated', changes };
  if (repo === undefined) return { kind: 'own' };
  return { kind: 'folder', directory: resolve(callerDirectory, repo) };
}
