/**
 * The configuration of a private Redis, rendered as text. It goes through a file and not through arguments, because a
 * password in arguments shows in the process list.
 */
import type { StartRedisOptions } from './redis-server.ts';

export interface RedisConfigPlace {
  readonly folder: string;
  readonly port: number;
}

/**
 * What the product recommends for production, without what only costs a test: no snapshots, and no rewrite of the
 * append-only file, which would fork a child that outlives a killed server.
 */
const durableDefaults = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  'auto-aof-rewrite-percentage': '0',
  'maxmemory-policy': 'noeviction',
  save: '',
} as const;

export type Directives = readonly (readonly [name: string, value: string])[];

/** Defaults, then the caller's lines; a caller's line replaces the default of its name. Throws on a line break. */
export function mergeDirectives(options: StartRedisOptions): Directives {
  const merged = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(durableDefaults)) merged.set(name, [value]);
  if (options.requirepass !== undefined) merged.set('requirepass', [quoteDirective(options.requirepass)]);
  for (const [name, value] of Object.entries(options.directives ?? {})) {
    merged.set(name.toLowerCase(), typeof value === 'string' ? [value] : value);
  }
  const lines: (readonly [string, string])[] = [];
  for (const [name, values] of merged) {
    for (const value of values) {
      if (/[\r\n\0]/.test(name + value)) {
        throw new TypeError(`Redis directive ${JSON.stringify(name)} must not hold a line break`);
      }
      lines.push([name, value]);
    }
  }
  return lines;
}

/** The text of redis.conf for a server in the folder, on loopback only. */
export function renderRedisConfig(place: RedisConfigPlace, options: StartRedisOptions): string {
  const fixed: Directives = [
    ['bind', '127.0.0.1'],
    ['port', String(place.port)],
    ['daemonize', 'no'],
    ['dir', quoteDirective(place.folder)],
    ['logfile', quoteDirective(`${place.folder}/redis.log`)],
  ];
  // Redis takes the last line of a name, so a caller can replace even `bind`.
  return [...fixed, ...mergeDirectives(options)]
    .map(([name, value]) => `${name} ${value === '' ? '""' : value}\n`)
    .join('');
}

export function quoteDirective(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`;
}
