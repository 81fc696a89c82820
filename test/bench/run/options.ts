/** Arguments of `pnpm bench`, checked. Pure. */
import { parseArgs } from 'node:util';
import { PEERS, type Peer } from './bench.ts';

export interface BenchOptions {
  readonly only: readonly string[];
  readonly peers: ReadonlySet<Peer>;
  readonly rounds: number;
  readonly scale: number;
  readonly json: boolean;
  readonly reportOnly: boolean;
}

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | { readonly kind: 'write'; readonly files: readonly string[] }
  | { readonly kind: 'run'; readonly options: BenchOptions }
  | { readonly kind: 'refused'; readonly why: string };

export const USAGE = `pnpm bench [options]              measures and compares; exit code 1 when a row misses its target
pnpm bench --write FILE…          writes docs/performance.md and its chart from results of --json

  --only NAME[,NAME]    these rows; --list names them
  --peers NAME[,NAME]   compare with these only: ${PEERS.join(', ')}
  --rounds N            measurements of each side, after one that warms up (default 5)
  --json                one JSON object on stdout
  --report-only         exit code 0 also when a row misses its target
  --list                the rows
  --scale F             multiplies the number of records; below 1 for trying the bench out: figures mean nothing then
`;

const DEFAULT_ROUNDS = 5;

/** `ids`: the rows there are. */
export function parseCommand(args: readonly string[], ids: readonly string[]): Command {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        peers: { type: 'string', default: PEERS.join(',') },
        rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
        scale: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        'report-only': { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return { kind: 'refused', why: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'help' };
  if (values.list) return { kind: 'list' };
  if (values.write) {
    return positionals.length === 0
      ? { kind: 'refused', why: '--write takes files that `pnpm bench --json` has printed' }
      : { kind: 'write', files: positionals };
  }
  if (positionals.length > 0) return { kind: 'refused', why: `what is "${positionals[0]}"?` };
  const only = values.only === undefined ? ids : values.only.split(',');
  const unknownRow = only.find((id) => !ids.includes(id));
  if (unknownRow !== undefined)
    return { kind: 'refused', why: `there is no row "${unknownRow}": ${ids.join(', ')}` };
  const peers = values.peers.split(',');
  const unknownPeer = peers.find((peer) => !PEERS.includes(peer as Peer));
  if (unknownPeer !== undefined)
    return { kind: 'refused', why: `there is no peer "${unknownPeer}": ${PEERS.join(', ')}` };
  const [rounds, scale] = [Number(values.rounds), Number(values.scale)];
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1_000)
    return { kind: 'refused', why: '--rounds takes an integer from 1 to 1,000' };
  if (!(scale > 0 && scale <= 10)) return { kind: 'refused', why: '--scale takes a number up to 10' };
  return {
    kind: 'run',
    options: {
      only,
      peers: new Set(peers as Peer[]),
      rounds,
      scale,
      json: values.json,
      reportOnly: values['report-only'],
    },
  };
}
