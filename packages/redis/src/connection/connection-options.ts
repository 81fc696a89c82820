/**
 * How every connection of Millrace is set up, and why. Nothing is ever sent twice or later than asked by the driver
 * itself: a lost reply comes back to the caller, who knows whether calling again is safe. (With ioredis' defaults a
 * dropped connection sends a command twice and reports one success; with `autoResendUnfulfilledCommands: false` alone
 * the promise never settles; a command timeout leaves a command in the offline queue that is sent after its failure.)
 */
import type { RedisOptions } from 'ioredis';
import { parseRedisUrl, type ConnectionConfig } from './connection-config.ts';

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

export function connectionOptions(config: ConnectionConfig, role: ConnectionRole, name: string) {
  const { host, port, username, password, database, isTls } = parseRedisUrl(config.url);
  return {
    host,
    port,
    db: database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: { ...config.tls } } : {}),
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

/** `attempt` counts from 1. The first is at once, spread over 50 ms so that a restart is not met by all clients together. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  if (attempt <= 1) return Math.floor(random() * 50);
  const ceiling = Math.min(MAX_RETRY_DELAY_MS, 50 * 2 ** (attempt - 1));
  return Math.floor(ceiling * (0.5 + random() / 2));
}
