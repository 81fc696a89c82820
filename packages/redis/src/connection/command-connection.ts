/**
 * The connection that scripts and queries share. To one server it is a plain connection; to a cluster it is the driver's
 * cluster client, which sends each command to the primary of its slot. No command goes out twice through either: what
 * is sent again after a refusal did not run, and a connection that breaks is the caller's to judge.
 */
import { Cluster, type Redis } from 'ioredis';
import { UnavailableError, type MillraceError } from '@millrace/core';
import { ClusterServers } from './cluster-servers.ts';
import { describeTarget, type ClusterConfig, type ConnectionConfig } from './connection-config.ts';
import { clusterOptions } from './connection-options.ts';
import { doubtSilentNodes } from './doubt-silent-nodes.ts';
import { ClusterLookUp } from './look-up.ts';
import { closeConnection, openConnection, timedOut, verifyConnectionName } from './open-connection.ts';
import { toMillraceError } from './to-millrace-error.ts';

export type ClusterConnection = Cluster;
export type CommandConnection = Redis | ClusterConnection;

export function isCluster(connection: CommandConnection): connection is ClusterConnection {
  return connection instanceof Cluster;
}

const RETRY_MS = 200;
/** Without, a failover is learned of by errors alone. */
const SLOTS_REFRESH_MS = 5_000;
const slotTimers = new WeakMap<Cluster, NodeJS.Timeout>();

/** As `openConnection`; in a cluster it is ready when the seeds have told the nodes and all slots are served. */
export async function openCommandConnection(
  config: ConnectionConfig,
  name: string,
): Promise<CommandConnection> {
  if (config.kind !== 'cluster') return openConnection(config, 'command', name);
  verifyConnectionName(name);
  const deadlineMs = performance.now() + config.connectTimeoutMs;
  // By itself the driver says "None of startup nodes is available", whatever it was. This says what it was.
  const seeds = await reachableSeeds(config, deadlineMs);
  const cluster = new Cluster([...seeds], clusterOptions(config, name));
  waitForNodes(cluster);
  hearOutAsking(cluster);
  doubtSilentNodes(cluster);
  cluster.on('error', () => {});
  try {
    await untilReady(cluster, config, deadlineMs);
    slotTimers.set(cluster, refreshSlots(cluster).unref());
    return cluster;
  } catch (error) {
    cluster.disconnect();
    throw error;
  }
}

/**
 * Lets a command wait for a node that is being connected, which the driver does only together with keeping commands for
 * a cluster that is away as a whole. Refused instead ("Connection is closed") it would count as `unknown`, which it is
 * not, and after a slot has moved it would fail although its new node only has to be connected.
 */
function waitForNodes(cluster: Cluster): void {
  Object.defineProperty(cluster.options, 'enableOfflineQueue', {
    get: () => cluster.status === 'ready' && cluster.nodes().length > 0,
  });
}

/**
 * What follows a slot that is on its way (ASK) is preceded by an ASKING, whose answer the driver does not look at. Where
 * the connection breaks in between, that would be an unhandled rejection, and the end of the process.
 */
function hearOutAsking(cluster: Cluster): void {
  cluster.on('+node', (node: Redis) => {
    const ask = node.asking.bind(node);
    node.asking = (...args: []) => {
      const asked = ask(...args);
      asked.catch(() => {});
      return asked;
    };
  });
}

function refreshSlots(cluster: Cluster): NodeJS.Timeout {
  return setInterval(() => {
    if (cluster.status === 'ready') cluster.refreshSlotsCache();
  }, SLOTS_REFRESH_MS);
}

/** Ends it and waits until no socket of it is open. Commands in flight are rejected. */
export async function closeCommandConnection(connection: CommandConnection): Promise<void> {
  if (!isCluster(connection)) return closeConnection(connection);
  clearInterval(slotTimers.get(connection));
  ClusterServers.stop(connection);
  if (connection.status === 'end') return;
  const ended = new Promise<void>((resolve) => {
    connection.once('end', resolve);
  });
  const nodes = connection.nodes().map(
    (node) =>
      new Promise<void>((resolve) => {
        if (node.status === 'wait' || node.status === 'end') resolve();
        else node.once('end', resolve);
      }),
  );
  const isWaiting = connection.status === 'reconnecting';
  connection.disconnect();
  // Between two attempts there is nothing to be closed, and the driver does not tell the end of it.
  if (!isWaiting) await Promise.all([ended, ...nodes]);
}

async function reachableSeeds(config: ClusterConfig, deadlineMs: number) {
  const lookUp = new ClusterLookUp(config);
  let last: MillraceError | undefined;
  while (performance.now() < deadlineMs) {
    try {
      await lookUp.ranges(AbortSignal.timeout(Math.max(1, Math.ceil(deadlineMs - performance.now()))));
      return lookUp.nodes;
    } catch (error) {
      last = toMillraceError(error, `connecting to ${describeTarget(config)}`);
      if (!last.retryable) throw last;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  throw timedOut(describeTarget(config), config.connectTimeoutMs, last);
}

function untilReady(cluster: Cluster, config: ClusterConfig, deadlineMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: MillraceError | undefined;
    let retry: NodeJS.Timeout | undefined;
    let isSettled = false;
    const settle = (error?: MillraceError): void => {
      isSettled = true;
      clearTimeout(timer);
      clearTimeout(retry);
      cluster.off('node error', onNodeError);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onReady = async (): Promise<void> => {
      const isServing = await servesAllSlots(cluster).catch(() => false);
      if (isSettled) return;
      if (isServing) settle();
      else retry = setTimeout(() => void onReady(), RETRY_MS);
    };
    const onNodeError = (error: unknown): void => {
      last = toMillraceError(error, `connecting to ${describeTarget(config)}`);
      if (!last.retryable) settle(last);
    };
    const onTimeout = (): void =>
      settle(
        timedOut(
          describeTarget(config),
          config.connectTimeoutMs,
          last ??
            new UnavailableError(
              'REDIS_REFUSED',
              'the cluster does not serve all slots (cluster_state:fail)',
            ),
        ),
      );
    const timer = setTimeout(onTimeout, Math.max(0, deadlineMs - performance.now()));
    cluster.once('ready', () => void onReady());
    cluster.on('node error', onNodeError);
    cluster.connect().catch(() => {});
  });
}

async function servesAllSlots(cluster: Cluster): Promise<boolean> {
  return /^cluster_state:ok\r?$/m.test(await cluster.cluster('INFO'));
}
