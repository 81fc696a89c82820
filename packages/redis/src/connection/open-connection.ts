/**
 * Opens a connection to one server and waits until it can be used. Afterwards ioredis keeps it alive: it reconnects by
 * itself with growing delays, and while it is down every command fails at once with `details.execution: 'none'`.
 */
import { Redis } from 'ioredis';
import { ConfigError, UnavailableError, type MillraceError } from '@millrace/core';
import {
  describeTarget,
  showAddress,
  type ClusterConfig,
  type ConnectionConfig,
  type NodeAddress,
  type SentinelConfig,
} from './connection-config.ts';
import { lookedUpOptions, nodeOptions, singleOptions, type ConnectionRole } from './connection-options.ts';
import { hashSlot } from './hash-slot.ts';
import { ClusterLookUp, lookUpBySentinel } from './look-up.ts';
import { connectorFor } from './looked-up-connector.ts';
import { isSameAddress, watchSentinels } from './sentinel-watch.ts';
import { toMillraceError } from './to-millrace-error.ts';

export type RedisConnection = Redis;

export interface OpenOptions {
  /** In a cluster the connection leads to the primary of this key's slot, and follows when that moves. */
  readonly slotOf?: string;
}

/**
 * Resolves when the connection is ready (authenticated, data loaded). `name` is what CLIENT LIST shows.
 *
 * Tries again until `connectTimeoutMs` is over, so that a worker survives a Redis that starts at the same time; what
 * another attempt cannot change fails at once. Throws `REDIS_UNREACHABLE`, `REDIS_REFUSED` (UnavailableError),
 * `AUTHENTICATION_FAILED`, `PERMISSION_DENIED`, `TLS_FAILED` or `INVALID_OPTION` (ConfigError); host and port are named,
 * credentials never.
 *
 * Subscriptions are not restored by the driver; use `keepSubscribed`.
 */
export async function openConnection(
  config: ConnectionConfig,
  role: ConnectionRole,
  name: string,
  options: OpenOptions = {},
): Promise<RedisConnection> {
  verifyConnectionName(name);
  return whenReady(
    createConnection(config, role, name, options),
    config.connectTimeoutMs,
    describeTarget(config),
  );
}

/**
 * To one node of a cluster. Its first attempt is its last: it fails at once, and once lost it does not come back, because
 * by then another node may be the one to ask. Otherwise as `openConnection`.
 */
export async function openNode(
  config: ClusterConfig,
  address: NodeAddress,
  role: ConnectionRole,
  name: string,
): Promise<RedisConnection> {
  const redis = new Redis(nodeOptions(config, address, role, name));
  return whenReady(redis, config.connectTimeoutMs, `the cluster node at ${showAddress(address)}`);
}

async function whenReady(redis: Redis, timeoutMs: number, target: string): Promise<Redis> {
  // Stays for ever: an 'error' event without a listener is printed by ioredis, command arguments included.
  redis.on('error', () => {});
  try {
    await untilReady(redis, timeoutMs, target);
    return redis;
  } catch (error) {
    end(redis);
    throw error;
  }
}

/** Ends the connection and waits until its socket is closed. Commands in flight are rejected. */
export async function closeConnection(redis: RedisConnection): Promise<void> {
  // Between two attempts there is no socket, and ioredis does not tell the end of one.
  if (redis.status === 'reconnecting') {
    end(redis);
    return;
  }
  if (redis.status === 'end') return;
  const ended = new Promise<void>((resolve) => {
    redis.once('end', resolve);
  });
  end(redis);
  await ended;
}

/** What a connection keeps open besides itself. */
const companions = new WeakMap<Redis, () => void>();

function end(redis: Redis): void {
  companions.get(redis)?.();
  redis.disconnect();
}

/** Throws `INVALID_OPTION` for what CLIENT SETNAME refuses. */
export function verifyConnectionName(name: string): void {
  if (!/[^!-~]/.test(name)) return;
  throw new ConfigError(
    'INVALID_OPTION',
    `invalid connection name ${JSON.stringify(name)}: use printable ASCII without spaces`,
  );
}

function createConnection(
  config: ConnectionConfig,
  role: ConnectionRole,
  name: string,
  { slotOf }: OpenOptions,
): Redis {
  switch (config.kind) {
    case undefined:
    case 'single':
      return new Redis(singleOptions(config, role, name));
    case 'sentinel':
      return behindSentinels(config, role, name);
    case 'cluster':
      if (slotOf === undefined) {
        throw new ConfigError(
          'INVALID_OPTION',
          'a connection to a cluster needs the key whose node it leads to',
        );
      }
      return toSlot(config, role, name, hashSlot(slotOf));
    default:
      return config satisfies never;
  }
}

function behindSentinels(config: SentinelConfig, role: ConnectionRole, name: string): Redis {
  const lookUp = lookUpBySentinel(config);
  let primary: NodeAddress | null = null;
  const options = lookedUpOptions(config, role, name);
  const Connector = connectorFor(async (signal) => (primary = await lookUp(signal)), config.tls);
  const redis = new Redis({ ...options, Connector });
  // Every Sentinel tells: those that come later find the connection where it belongs.
  const stop = watchSentinels(config, (next) => {
    if (primary !== null && !isSameAddress(primary, next)) redis.disconnect(true);
  });
  companions.set(redis, stop);
  return redis;
}

function toSlot(config: ClusterConfig, role: ConnectionRole, name: string, slot: number): Redis {
  const options = lookedUpOptions(config, role, name);
  const Connector = connectorFor(new ClusterLookUp(config).ofSlot(slot), options.tls);
  const redis = new Redis({ ...options, Connector });
  // The server took a subscription away because the slot lies elsewhere now.
  redis.on('moved', () => redis.disconnect(true));
  return redis;
}

function untilReady(redis: Redis, timeoutMs: number, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: MillraceError | undefined;
    const settle = (error?: MillraceError): void => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      redis.off('error', onError);
      redis.off('end', onEnd);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onReady = (): void => settle();
    const onError = (error: unknown): void => {
      last = toMillraceError(error, `connecting to ${target}`);
      if (!last.retryable) settle(last);
    };
    const onEnd = (): void => settle(timedOut(target, timeoutMs, last));
    const timer = setTimeout(onEnd, timeoutMs);
    redis.on('ready', onReady);
    redis.on('end', onEnd);
    redis.on('error', onError);
    // Its rejection says only that the first attempt failed; the events above decide.
    redis.connect().catch(() => {});
  });
}

export function timedOut(
  target: string,
  timeoutMs: number,
  last: MillraceError | undefined,
): UnavailableError {
  const reason = last?.cause instanceof Error ? last.cause.message : (last?.message ?? 'no answer');
  const code = last?.code === 'REDIS_REFUSED' ? 'REDIS_REFUSED' : 'REDIS_UNREACHABLE';
  return new UnavailableError(
    code,
    `${target} cannot be used: ${reason} (tried for ${timeoutMs} ms); check host and port, and that Redis runs`,
    { ...(last === undefined ? {} : { cause: last.cause }), details: { target, timeoutMs } },
  );
}
