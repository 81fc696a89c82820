/** Options of `connect()`, checked and completed. */
import { hostname } from 'node:os';
import { ConfigError } from '@millrace/core';
import { DEFAULT_PREFIX, type ConnectionConfig, type TlsConfig } from '@millrace/redis';
import type { Logger } from '../logging/logger.ts';
import { describeKind, describeValue } from '../options/describe-value.ts';
import { verifyConnectOptionNames } from './connect-option-names.ts';
import { resolveTarget, type ClusterOptions, type SentinelOptions } from './connect-target.ts';

/** One of `url`, `sentinel` and `cluster`. */
export interface ConnectOptions {
  /**
   * One server: `redis://` or `rediss://`, with `[user:password@]host[:port][/database]`. Default: the environment
   * variable `REDIS_URL`, else `redis://127.0.0.1:6379`.
   */
  readonly url?: string | undefined;
  /** A primary with replicas that Sentinels watch over: found again after a failover. */
  readonly sentinel?: SentinelOptions | undefined;
  /** Redis Cluster. */
  readonly cluster?: ClusterOptions | undefined;
  /** Begins the name of every key: two systems share a server by different prefixes. Default `millrace`. */
  readonly prefix?: string | undefined;
  /** Tells this client from others in CLIENT LIST. Default: host name and process id. */
  readonly name?: string | undefined;
  /** How long `connect` tries, milliseconds. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Certificates, with a `url` of `rediss://`. The server's certificate is always verified. */
  readonly tls?: TlsConfig | undefined;
  /**
   * pino, or anything of its shape. Default: nothing is logged, and what is wrong with the server's configuration is
   * told once as a process warning. `false`: not even that.
   */
  readonly logger?: Logger | false | undefined;
}

export interface ResolvedConnectOptions {
  readonly config: ConnectionConfig;
  readonly prefix: string;
  readonly name: string;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;

/** No braces, which would move the cluster slot, and nothing that widens an ACL pattern. */
const PREFIX = /^[A-Za-z0-9._:-]{1,100}$/;
const CLIENT_NAME = /^[A-Za-z0-9._@:-]{1,100}$/;

/** Throws `INVALID_OPTION` (ConfigError). */
export function resolveConnectOptions(
  options: string | ConnectOptions,
  env: Readonly<Record<string, string | undefined>>,
): ResolvedConnectOptions {
  const given = typeof options === 'string' ? { url: options } : options;
  // It has no properties of its own, so it would look like no options at all, and lead to the default server.
  if ((given as unknown) instanceof URL)
    throw new ConfigError('INVALID_OPTION', 'connect takes a URL as text: give the href of the URL object');
  verifyConnectOptionNames(given);
  verifyLogger(given.logger);
  const {
    prefix = DEFAULT_PREFIX,
    name = defaultName(),
    connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS,
  } = given;
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) {
    throw new ConfigError(
      'INVALID_OPTION',
      `invalid prefix ${describeValue(prefix)}: use 1 to 100 of A-Z a-z 0-9 . _ : -`,
    );
  }
  if (typeof name !== 'string' || !CLIENT_NAME.test(name)) {
    throw new ConfigError(
      'INVALID_OPTION',
      `invalid name ${describeValue(name)}: use 1 to 100 of A-Z a-z 0-9 . _ @ : -`,
    );
  }
  if (!Number.isFinite(connectTimeoutMs) || connectTimeoutMs <= 0) {
    throw new ConfigError(
      'INVALID_OPTION',
      `connectTimeoutMs must be a number above 0, not ${describeValue(connectTimeoutMs)}`,
    );
  }
  return { config: resolveTarget(given, env, connectTimeoutMs), prefix, name };
}

const LOGGER_METHODS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly (keyof Logger)[];

function verifyLogger(logger: ConnectOptions['logger']): void {
  if (logger === undefined || logger === false) return;
  const given = logger as Partial<Logger> | null;
  const missing = LOGGER_METHODS.find((method) => typeof given?.[method] !== 'function');
  if (missing === undefined) return;
  throw new ConfigError(
    'INVALID_OPTION',
    `connect option "logger" must be false or have the methods ${LOGGER_METHODS.join(', ')}, ` +
      `as pino has: ${describeKind(logger)} without ${missing} is none`,
  );
}

function defaultName(): string {
  return `${hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 80)}-${process.pid}`;
}
