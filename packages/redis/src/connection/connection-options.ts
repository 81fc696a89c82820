/**
 * How every connection of Millrace is set up, and why. Nothing is ever sent twice or later than asked by the driver
 * itself: a lost reply comes back to the caller, who knows whether calling again is safe. (With ioredis' defaults a
 * dropped connection sends a command twice and reports one success; with `autoResendUnfulfilledCommands: false` alone
 * the promise never settles; a command timeout leaves a command in the offline queue that is sent after its failure.)
 */
import type { ClusterOptions, RedisOptions } from 'ioredis';
import {
  parseRedisUrl,
  type ClusterConfig,
  type ConnectionConfig,
  type NodeAddress,
  type SentinelConfig,
  type SingleConfig,
  type TlsConfig,
} from './connection-config.ts';

/**
 * - `command`: scripts and queries, shared.
 * - `reader`: blocking reads, one caller.
 * - `writer`: appends that are waited for with WAIT or WAITAOF, one producer.
 * - `lease`: heartbeats and the presence subscription; must notice a dead socket well within a lease.
 */
export type ConnectionRole = 'command' | 'reader' | 'writer' | 'lease';

/** The longest that a command may block a connection (BLOCK of a reader, WAIT of a writer), milliseconds. */
export const MAX_BLOCK_MS = 5_000;

/**
 * Silence after which a connection that waits for a reply is given up, milliseconds. Without it a half-open socket
 * keeps its callers waiting for the kernel, many minutes. It counts only while a reply is due.
 */
const SILENCE_MS: Record<ConnectionRole, number> = {
  command: 10_000,
  reader: MAX_BLOCK_MS + 2_000,
  writer: MAX_BLOCK_MS + 2_000,
  lease: 3_000,
};

const MAX_RETRY_DELAY_MS = 2_000;
/** Where a failover will bring another server soon, nobody may wait for it much longer than it takes. */
const MAX_LOOK_UP_DELAY_MS = 500;

/**
 * How long a socket may take to close in order before it is destroyed. A server that hangs closes nothing, and what waits
 * for its replies shall know soon that another has taken over.
 */
export const DISCONNECT_TIMEOUT_MS = 100;

/** To be asked where the primary is: short, because there are others to ask. */
const LOOK_UP_TIMEOUT_MS = 1_000;

/** A server at a fixed address. */
export function singleOptions(config: SingleConfig, role: ConnectionRole, name: string) {
  const { host, port, database } = parseRedisUrl(config.url);
  return { ...commonOptions(config, role, name), host, port, db: database } as const satisfies RedisOptions;
}

/** A server that is looked up before every attempt: the primary that Sentinels name, or that of a cluster's slot. */
export function lookedUpOptions(config: SentinelConfig | ClusterConfig, role: ConnectionRole, name: string) {
  return {
    ...commonOptions(config, role, name),
    ...(config.kind === 'sentinel' ? { db: config.database } : {}),
    retryStrategy: (attempt: number) => retryDelayMs(attempt, MAX_LOOK_UP_DELAY_MS),
    // Looked up anew, the primary is perhaps another server: then that one is asked the next time.
    reconnectOnError: (error: Error) =>
      /^(READONLY|MOVED|CLUSTERDOWN|UNBLOCKED)\b/.test(error.message) ? 1 : false,
  } as const satisfies RedisOptions;
}

/** One connection to one node of a cluster, without a second life: who needs it again opens another. */
export function nodeOptions(config: ClusterConfig, address: NodeAddress, role: ConnectionRole, name: string) {
  return {
    ...commonOptions(config, role, name),
    ...address,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
    reconnectOnError: () => false,
  } as const satisfies RedisOptions;
}

/** For one question to a node or a Sentinel, where the primary is. */
export function lookUpOptions(config: SentinelConfig | ClusterConfig, address: NodeAddress) {
  const credentials =
    config.kind === 'sentinel'
      ? {
          ...(config.sentinelUsername === undefined ? {} : { username: config.sentinelUsername }),
          ...(config.sentinelPassword === undefined ? {} : { password: config.sentinelPassword }),
          ...(config.sentinelTls === undefined ? {} : { tls: { ...config.sentinelTls } }),
        }
      : access(config);
  return {
    ...credentials,
    ...address,
    connectTimeout: Math.min(config.connectTimeoutMs, LOOK_UP_TIMEOUT_MS),
    commandTimeout: LOOK_UP_TIMEOUT_MS,
    lazyConnect: true,
    protocol: 3,
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  } as const satisfies RedisOptions;
}

/**
 * The driver's cluster client, which sends each command to the primary of its slot. What a node refuses before it runs
 * (MOVED, ASK, TRYAGAIN, CLUSTERDOWN) is followed, at most `maxRedirections` times; a connection that breaks is told to
 * the caller, never answered by a second send: that is what `retryDelayOnFailover: 0` means.
 */
export function clusterOptions(config: ClusterConfig, name: string) {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    // It asks one node, whichever, and where that one hangs, nothing goes to the others for as long. A cluster that does
    // not serve a slot says so itself, to each command (CLUSTERDOWN).
    enableReadyCheck: false,
    scaleReads: 'master',
    maxRedirections: 16,
    retryDelayOnFailover: 0,
    retryDelayOnMoved: 0,
    retryDelayOnTryAgain: 100,
    retryDelayOnClusterDown: 100,
    // `openCommandConnection` has a timer of its own: the driver sets its own anew where the client is closed while a
    // look at the slots is under way, and then the process never ends.
    slotsRefreshInterval: 0,
    slotsRefreshTimeout: LOOK_UP_TIMEOUT_MS,
    clusterRetryStrategy: (attempt: number) => retryDelayMs(attempt, MAX_LOOK_UP_DELAY_MS),
    // Names as they are announced: an address would not match a certificate that is made out to a name.
    dnsLookup: (hostname: string, callback: (error: null, address: string) => void) =>
      callback(null, hostname),
    redisOptions: {
      ...commonOptions(config, 'command', name),
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      reconnectOnError: () => false,
    },
  } as const satisfies ClusterOptions;
}

function commonOptions(config: ConnectionConfig, role: ConnectionRole, name: string) {
  return {
    ...access(config),
    connectionName: name,
    connectTimeout: config.connectTimeoutMs,
    socketTimeout: SILENCE_MS[role],
    lazyConnect: true,
    protocol: 3,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    // ioredis drops the rejection of a resubscribe that fails, which ends the process, and forgets the channels when
    // the connection breaks a second time. `keepSubscribed` does it instead.
    autoResubscribe: false,
    maxLoadingRetryTime: 500,
    retryStrategy: (attempt: number) => retryDelayMs(attempt),
    // A host name that moved to a new primary: only a new connection finds it. 1 = reconnect and do not send again.
    reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 1 : false),
  } as const satisfies RedisOptions;
}

interface Access {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsConfig;
}

/** Who connects, and whether by TLS. */
function access(config: ConnectionConfig): Access {
  switch (config.kind) {
    case undefined:
    case 'single':
      return urlAccess(config.url, config.tls);
    case 'sentinel': {
      const { username, password, tls } = config;
      return {
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(tls === undefined ? {} : { tls: { ...tls } }),
      };
    }
    case 'cluster':
      // Of the same user and scheme, all of them.
      return urlAccess(config.seeds[0] ?? '', config.tls);
    default:
      return config satisfies never;
  }
}

function urlAccess(url: string, tls: TlsConfig | undefined): Access {
  const { username, password, isTls } = parseRedisUrl(url);
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: { ...tls } } : {}),
  };
}

/** `attempt` counts from 1. The first is at once, spread over 50 ms so that a restart is not met by all clients together. */
export function retryDelayMs(
  attempt: number,
  maxDelayMs: number = MAX_RETRY_DELAY_MS,
  random: () => number = Math.random,
): number {
  if (attempt <= 1) return Math.floor(random() * 50);
  const ceiling = Math.min(maxDelayMs, 50 * 2 ** (attempt - 1));
  return Math.floor(ceiling * (0.5 + random() / 2));
}
