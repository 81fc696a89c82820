/**
 * What `connect()` connects to: one server, a primary behind Sentinels, or a cluster. No message repeats what was given
 * where it may hold a password.
 */
import { ConfigError } from '@millrace/core';
import { parseRedisUrl, type ConnectionConfig, type NodeAddress, type TlsConfig } from '@millrace/redis';
import { describeValue } from '../options/describe-value.ts';

export interface SentinelOptions {
  /** What the Sentinels call the primary (`sentinel monitor <name> …`). */
  readonly name: string;
  /** Each as `{ host, port }` or `'host:port'`; the port is 26379 where it is left out. */
  readonly sentinels: readonly (string | { readonly host: string; readonly port?: number | undefined })[];
  /** Of the Redis servers. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  /** Default 0. */
  readonly database?: number | undefined;
  /** The Redis servers speak TLS. `{}` for certificates of a known authority; they are always verified. */
  readonly tls?: TlsConfig | undefined;
  /** The Sentinels speak TLS. */
  readonly sentinelTls?: TlsConfig | undefined;
}

export interface ClusterOptions {
  /**
   * URLs of some nodes, `redis://` or `rediss://`, with `[user:password@]host[:port]`; they tell of all others. Several,
   * because one may be away; the same scheme, user and password in each.
   */
  readonly seeds: readonly string[];
  /** Certificates, with `rediss://`. They are always verified. */
  readonly tls?: TlsConfig | undefined;
}

interface Targets {
  readonly url?: string | undefined;
  readonly tls?: TlsConfig | undefined;
  readonly sentinel?: SentinelOptions | undefined;
  readonly cluster?: ClusterOptions | undefined;
}

const DEFAULT_URL = 'redis://127.0.0.1:6379';
const DEFAULT_SENTINEL_PORT = 26_379;

/** Throws `INVALID_OPTION` (ConfigError). */
export function resolveTarget(
  { url, tls, sentinel, cluster }: Targets,
  env: Readonly<Record<string, string | undefined>>,
  connectTimeoutMs: number,
): ConnectionConfig {
  const given = [
    ...(url === undefined ? [] : ['url']),
    ...(sentinel === undefined ? [] : ['sentinel']),
    ...(cluster === undefined ? [] : ['cluster']),
  ];
  if (given.length > 1) throw invalid(`give one of url, sentinel and cluster, not ${given.join(' and ')}`);
  if (tls !== undefined && given[0] !== undefined && given[0] !== 'url')
    throw invalid(`the option "tls" belongs inside of "${given[0]}"`);
  if (sentinel !== undefined) return sentinelTarget(sentinel, connectTimeoutMs);
  if (cluster !== undefined) return clusterTarget(cluster, connectTimeoutMs);
  // An empty REDIS_URL is what a shell makes of an unset variable.
  return singleTarget(url ?? (env['REDIS_URL'] || DEFAULT_URL), tls, connectTimeoutMs);
}

function singleTarget(url: string, tls: TlsConfig | undefined, connectTimeoutMs: number): ConnectionConfig {
  if (typeof url !== 'string') throw invalid(`url must be a string, not ${typeof url}`);
  const { isTls } = parseRedisUrl(url);
  if (tls !== undefined && !isTls) throw invalid('the option "tls" needs a URL that begins with rediss://');
  return { kind: 'single', url, connectTimeoutMs, ...(tls === undefined ? {} : { tls }) };
}

function sentinelTarget(options: SentinelOptions, connectTimeoutMs: number): ConnectionConfig {
  const { name, sentinels, database = 0 } = options;
  // A space would end the word in what Sentinels announce.
  if (typeof name !== 'string' || !/^[!-~]{1,200}$/.test(name))
    throw invalid(
      'sentinel.name must be what the Sentinels call the primary: 1 to 200 characters without spaces',
    );
  if (!Array.isArray(sentinels) || sentinels.length === 0)
    throw invalid('sentinel.sentinels must name one Sentinel at least, as { host, port } or "host:port"');
  if (!Number.isInteger(database) || database < 0)
    throw invalid(`sentinel.database must be an integer from 0, not ${describeValue(database)}`);
  const { username, password, sentinelUsername, sentinelPassword, tls, sentinelTls } = options;
  if (username !== undefined && password === undefined)
    throw invalid('sentinel.username needs sentinel.password');
  if (sentinelUsername !== undefined && sentinelPassword === undefined)
    throw invalid('sentinel.sentinelUsername needs sentinel.sentinelPassword');
  return {
    kind: 'sentinel',
    name,
    sentinels: sentinels.map(sentinelAddress),
    database,
    connectTimeoutMs,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls === undefined ? {} : { tls }),
    ...(sentinelTls === undefined ? {} : { sentinelTls }),
  };
}

function sentinelAddress(given: SentinelOptions['sentinels'][number], index: number): NodeAddress {
  const address = typeof given === 'string' ? parseAddress(given) : given;
  const { host, port = DEFAULT_SENTINEL_PORT } = address ?? { host: '' };
  if (typeof host === 'string' && host !== '' && Number.isInteger(port) && port > 0 && port < 65_536)
    return { host, port };
  throw invalid(
    `sentinel.sentinels[${index}] must be { host, port } or "host:port"; credentials go into sentinelUsername and sentinelPassword`,
  );
}

/** `null` for what is no address: a URL, credentials before an `@`, a path. */
function parseAddress(text: string): { host: string; port?: number } | null {
  const match = /^(?:\[(?<ip6>[0-9A-Fa-f:.]+)\]|(?<host>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  if (match?.groups === undefined) return null;
  const { ip6, host = ip6 ?? '', port } = match.groups;
  return { host, ...(port === undefined ? {} : { port: Number(port) }) };
}

function clusterTarget({ seeds, tls }: ClusterOptions, connectTimeoutMs: number): ConnectionConfig {
  if (!isTextList(seeds) || seeds.length === 0)
    throw invalid('cluster.seeds must be a list of URLs, one at least');
  const parsed = seeds.map((seed) => parseRedisUrl(seed));
  const [first] = parsed;
  for (const [index, { database, username, password, isTls }] of parsed.entries()) {
    if (database !== 0) throw invalid(`cluster.seeds[${index}] names a database: a cluster has none but 0`);
    if (username !== first?.username || password !== first?.password)
      throw invalid(
        `cluster.seeds[${index}] has other credentials than cluster.seeds[0]: all nodes share one user`,
      );
    if (isTls !== first?.isTls)
      throw invalid(
        `cluster.seeds[${index}] has another scheme than cluster.seeds[0]: all or none speak TLS`,
      );
  }
  if (tls !== undefined && first?.isTls !== true)
    throw invalid('cluster.tls needs seeds that begin with rediss://');
  return { kind: 'cluster', seeds: [...seeds], connectTimeoutMs, ...(tls === undefined ? {} : { tls }) };
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string');
}

function invalid(problem: string): ConfigError {
  return new ConfigError('INVALID_OPTION', problem);
}
