/** The options of `pnpm faults`. */
import { parseArgs } from 'node:util';
import { TOPOLOGIES, type TopologyName } from './fault.ts';

export interface Options {
  readonly topologies: readonly TopologyName[];
  /** Names of rows; `null` for all. */
  readonly faults: readonly string[] | null;
  readonly seeds: readonly number[];
  /** How long random subsets of faults go on, s; only with `--fault mixed`. */
  readonly budgetSeconds: number;
  readonly mutant: string | null;
  /** Every mutant, each with the fault that shows it. */
  readonly allMutants: boolean;
  readonly json: boolean;
  /** Keeps the histories of clean runs as well. */
  readonly keep: boolean;
}

export const USAGE = `pnpm faults [--topology single|sentinel|cluster|all] [--fault NAME|all|mixed]
            [--seed N] [--seeds A..B] [--budget SECONDS] [--mutant NAME | --mutants] [--json] [--keep]
See test/faults/README.md.`;

/** Throws an error with the usage. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      topology: { type: 'string', default: 'single' },
      fault: { type: 'string', default: 'all' },
      seed: { type: 'string' },
      seeds: { type: 'string' },
      budget: { type: 'string', default: '60' },
      mutant: { type: 'string' },
      mutants: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  return {
    topologies: topologiesOf(values.topology),
    faults: values.fault === 'all' ? null : values.fault.split(','),
    seeds: values.seeds === undefined ? [wholeNumber('--seed', values.seed ?? '1')] : seedsOf(values.seeds),
    budgetSeconds: wholeNumber('--budget', values.budget),
    mutant: values.mutant ?? null,
    allMutants: values.mutants,
    json: values.json,
    keep: values.keep,
  };
}

function topologiesOf(text: string): readonly TopologyName[] {
  if (text === 'all') return TOPOLOGIES;
  const chosen = TOPOLOGIES.filter((name) => name === text);
  if (chosen.length === 0)
    throw new Error(`--topology must be one of ${TOPOLOGIES.join(', ')} or all\n${USAGE}`);
  return chosen;
}

function seedsOf(text: string): readonly number[] {
  const match = /^(\d+)\.\.(\d+)$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || last < first) throw new Error(`--seeds must be two numbers, as 1..5\n${USAGE}`);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text))
    throw new Error(`${option} must be a whole number, not ${JSON.stringify(text)}\n${USAGE}`);
  return Number(text);
}
