/**
 * A Cluster in one container, for machines that have Docker and no redis-server. Its nodes listen on the ports that the host
 * maps, one to one, and call themselves 127.0.0.1: so the address that a node tells is right inside the container, where the
 * others ask, and outside, where clients do. Docker must therefore run on this machine. For faults of single nodes take
 * `startCluster`.
 */
import { Redis } from 'ioredis';
import { eventually } from '../eventually.ts';
import { redisImage } from '../redis/docker-redis.ts';
import { findFreePort } from '../redis/free-port.ts';
import { mergeDirectives } from '../redis/redis-config.ts';
import { redisUrl } from '../redis/redis-server.ts';
import { loopback } from '../redis/server-process.ts';
import type { ClusterConnection } from './cluster-topology.ts';
import { defaultStartTimeoutMs } from './topology.ts';

export interface StartDockerClusterOptions {
  /** Must hold `sh`, `redis-server` and `redis-cli`. Default: `MILLRACE_REDIS_IMAGE`, else `redis:8-alpine`. */
  readonly image?: string;
  /** Default 3. */
  readonly primaries?: number;
  /** Of each primary. Default 1. */
  readonly replicasEach?: number;
  /** Default 2,000. */
  readonly nodeTimeoutMs?: number;
  /** Lines of redis.conf for all nodes. */
  readonly directives?: Readonly<Record<string, string>>;
  /** For the container, and again for the Cluster. Default 30,000; a first pull of the image takes longer. */
  readonly startTimeoutMs?: number;
}

export interface DockerCluster extends AsyncDisposable {
  readonly connection: ClusterConnection;
  /** Removes the container. Safe to call twice. */
  stop(): Promise<void>;
}

/** Rejects when no daemon answers, the image cannot be had, or the nodes do not agree in time. */
export async function startDockerCluster(options: StartDockerClusterOptions = {}): Promise<DockerCluster> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const { primaries = 3, replicasEach = 1, startTimeoutMs = defaultStartTimeoutMs } = options;
  const ports = new Set<number>();
  while (ports.size < primaries * (1 + replicasEach)) ports.add(await findFreePort());

  const container = await new GenericContainer(options.image ?? redisImage(process.env))
    .withCommand(['sh', '-c', nodesScript([...ports], options)])
    .withExposedPorts(...[...ports].map((port) => ({ container: port, host: port })))
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/, ports.size))
    .withStartupTimeout(startTimeoutMs)
    .start();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= container.stop({ timeout: 0 }).then(() => {}));
  try {
    const addresses = [...ports].map((port) => `${loopback}:${port}`);
    const create = ['redis-cli', '--cluster', 'create', ...addresses, '--cluster-yes'];
    const { exitCode, output } = await container.exec([
      ...create,
      '--cluster-replicas',
      String(replicasEach),
    ]);
    if (exitCode !== 0) throw new Error(`redis-cli could not make a Cluster: ${output}`);
    const seeds = [...ports].map((port) => redisUrl(loopback, port, undefined));
    await Promise.all(seeds.map((url) => waitUntilOk(url, ports.size, startTimeoutMs)));
    return { connection: { kind: 'cluster', seeds }, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function nodesScript(ports: readonly number[], options: StartDockerClusterOptions): string {
  const starts = ports.map((port) => {
    const directives = mergeDirectives({
      directives: {
        port: String(port),
        // Ports that are mapped are met from outside the container's loopback.
        'protected-mode': 'no',
        dir: `/tmp/${port}`,
        'cluster-enabled': 'yes',
        'cluster-node-timeout': String(options.nodeTimeoutMs ?? 2_000),
        'cluster-announce-ip': loopback,
        ...options.directives,
      },
    });
    const words = directives.flatMap(([name, value]) => [`--${name}`, value]).map(shellQuote);
    return `mkdir -p /tmp/${port} && redis-server ${words.join(' ')} &`;
  });
  return `${starts.join('\n')}\nwait`;
}

function shellQuote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

async function waitUntilOk(url: string, nodes: number, timeoutMs: number): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
  redis.on('error', () => {}); // said by the command
  try {
    const check = async (): Promise<void> => {
      const info = await redis.cluster('INFO');
      if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${nodes}`))
        throw new Error(info);
    };
    await eventually(check, { timeoutMs, intervalMs: 50, what: 'agreement of the Cluster' });
  } finally {
    redis.disconnect();
  }
}
