/**
 * What a connection needs to know, and the one place where a Redis URL is read. The URL may carry a password, so
 * nothing outside this file shows it: messages use `describeTarget`, which names hosts and ports alone.
 */
import { ConfigError } from '@millrace/core';

/** Certificates in PEM. Verification of the server cannot be turned off: name its authority in `ca` instead. */
export interface TlsConfig {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  /** Name to expect in the server's certificate; the URL's host by default. */
  readonly servername?: string;
}

/** Plain data, because it is also sent to a worker thread. */
export type ConnectionConfig = SingleConfig | SentinelConfig | ClusterConfig;

/** One Redis server at a fixed address. */
export interface SingleConfig {
  /** May be left out. */
  readonly kind?: 'single';
  /** `redis://` or `rediss://`, with `[user:password@]host[:port][/database]`. */
  readonly url: string;
  readonly connectTimeoutMs: number;
  /** Only with `rediss://`. */
  readonly tls?: TlsConfig;
}

/** A primary whose address Sentinels know. */
export interface SentinelConfig {
  readonly kind: 'sentinel';
  /** What the Sentinels call the primary. */
  readonly name: string;
  readonly sentinels: readonly NodeAddress[];
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly database: number;
  readonly connectTimeoutMs: number;
  /** Present: the servers are reached by TLS. */
  readonly tls?: TlsConfig;
  /** Present: the Sentinels are reached by TLS. */
  readonly sentinelTls?: TlsConfig;
}

/** Redis Cluster: the seeds tell of all other nodes, which are reached with the credentials of the seeds' URLs. */
export interface ClusterConfig {
  readonly kind: 'cluster';
  /** URLs without a database. All of them have the same scheme, user and password. */
  readonly seeds: readonly string[];
  readonly connectTimeoutMs: number;
  /** Only with `rediss://`. */
  readonly tls?: TlsConfig;
}

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  readonly isTls: boolean;
}

const DEFAULT_PORT = 6379;
const FORM = 'use redis://[user:password@]host[:port][/database], or rediss:// for TLS';

/** Throws `INVALID_OPTION` (ConfigError), whose message never repeats the URL: a malformed one may be all password. */
export function parseRedisUrl(url: string): RedisEndpoint {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) {
    throw invalidUrl(`it cannot be parsed (percent-encode special characters of the password); ${FORM}`);
  }
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') {
    throw invalidUrl(`its scheme is none that Millrace speaks; ${FORM}`);
  }
  if (parsed.hostname === '') throw invalidUrl(`it names no host; ${FORM}`);
  // Some clients read TLS switches from there. Ignoring one silently could connect with less security than asked for.
  if (parsed.search !== '' || parsed.hash !== '') {
    throw invalidUrl(
      `query parameters and fragments are not supported (percent-encode "?" and "#" in a password); ${FORM}`,
    );
  }
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? DEFAULT_PORT : Number(parsed.port),
    database: parseDatabase(parsed.pathname),
    isTls: parsed.protocol === 'rediss:',
    ...(parsed.username === '' ? {} : { username: decodeCredential(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decodeCredential(parsed.password) }),
  };
}

/** What is connected to, safe to show and to log: "Redis at host:port", and so on. */
export function describeTarget(config: ConnectionConfig): string {
  switch (config.kind) {
    case undefined:
    case 'single':
      return `Redis at ${showDatabase(parseRedisUrl(config.url))}`;
    case 'sentinel':
      return `Redis "${config.name}" of the Sentinels at ${config.sentinels.map(showAddress).join(', ')}`;
    case 'cluster':
      return `Redis Cluster with the seeds ${config.seeds.map((seed) => showAddress(parseRedisUrl(seed))).join(', ')}`;
    default:
      return config satisfies never;
  }
}

/** `host:port/database`, without the database where it is the default one. */
function showDatabase({ database, ...address }: NodeAddress & { readonly database: number }): string {
  return database === 0 ? showAddress(address) : `${showAddress(address)}/${database}`;
}

/** `host:port`. */
export function showAddress({ host, port }: NodeAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseDatabase(pathname: string): number {
  const text = pathname.replace(/^\//, '');
  if (text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw invalidUrl(`the part after the port must be a database number; ${FORM}`);
  return Number(text);
}

function decodeCredential(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Without `cause`: the original error would not repeat the credential today, but nothing promises that.
    throw invalidUrl('its user name or password is not valid percent-encoding: write a literal "%" as "%25"');
  }
}

function invalidUrl(problem: string): ConfigError {
  return new ConfigError('INVALID_OPTION', `invalid Redis URL: ${problem}`);
}
