/**
 * A primary, its replicas and the Sentinels that watch them. Sentinel's own clockwork is made for machines, not for tests
 * (it greets every 2 s, looks for replicas every 10 s); it is sped up through `SENTINEL DEBUG` unless told otherwise. What
 * decides about a failover, `downAfterMs` and `failoverTimeoutMs`, is an option.
 */
import { eventually } from '../eventually.ts';
import { provideRedisBinary } from '../redis/provide-binary.ts';
import { loopback } from '../redis/server-process.ts';
import { replicaAnnouncement, startDataNode } from './data-node.ts';
import { SourceAddresses } from './redis-node.ts';
import type { RedisNode, StartedNode } from './redis-node.ts';
import { assertReplicates, replicasOfPort } from './replication.ts';
import { startSentinelNode } from './sentinel-node.ts';
import type { SentinelSettings } from './sentinel-node.ts';
import { orStopAll, startNodes, stopAll } from './start-nodes.ts';
import { defaultStartTimeoutMs, nodeAt } from './topology.ts';
import type { Topology, TopologyOptions } from './topology.ts';

export interface StartSentinelOptions extends TopologyOptions {
  /** Default 2. */
  readonly replicas?: number;
  /** Default 3. */
  readonly sentinels?: number;
  /** Sentinels that must find the primary down. Default: more than half of them. */
  readonly quorum?: number;
  /** What clients ask the Sentinels for. Default `millrace`. */
  readonly name?: string;
  /** Silence after which a Sentinel finds a server down (Redis' default: 30,000). Default 1,000. */
  readonly downAfterMs?: number;
  /** A second attempt comes after twice this time (Redis' default: 180,000). Default 5,000. */
  readonly failoverTimeoutMs?: number;
  /** Password of the Sentinels themselves. Default: none. */
  readonly sentinelPassword?: string;
  /** `standard` leaves Sentinel's periods as they are; the start then takes seconds longer. Default `short`. */
  readonly periods?: 'short' | 'standard';
}

export interface SentinelConnection {
  readonly kind: 'sentinel';
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly password?: string;
  readonly sentinelPassword?: string;
  readonly database: number;
}

export interface SentinelTopology extends Topology<SentinelConnection> {
  readonly kind: 'sentinel';
  readonly sentinels: readonly RedisNode[];
  /** Has the Sentinels promote a replica of the healthy primary. Gives the new primary when all Sentinels name it. */
  failOver(): Promise<RedisNode>;
}

/** @throws {NoRedisError} when there is no binary and none can be installed. */
export async function startSentinel(options: StartSentinelOptions = {}): Promise<SentinelTopology> {
  const binary = options.binary ?? (await provideRedisBinary());
  const sources = options.proxied === true ? new SourceAddresses() : undefined;
  const { replicas: replicaCount = 2, sentinels: sentinelCount = 3, name = 'millrace' } = options;
  const sentinelSettings: SentinelSettings = {
    name,
    quorum: options.quorum ?? Math.floor(sentinelCount / 2) + 1,
    downAfterMs: options.downAfterMs ?? 1_000,
    failoverTimeoutMs: options.failoverTimeoutMs ?? 5_000,
    periods: options.periods ?? 'short',
    password: options.requirepass,
    sentinelPassword: options.sentinelPassword,
  };
  return orStopAll(async (started) => {
    const shared = { binary, options, sources };
    const primary = await startDataNode({
      ...shared,
      name: 'primary',
      startedAs: 'primary',
      directives: replicaAnnouncement,
    });
    started.push(primary);
    const replicaOf = `${loopback} ${primary.announcedPort}`;
    const replicas = await startNodes(
      Array.from({ length: replicaCount }, (_, index) => () => {
        return startDataNode({
          ...shared,
          name: `replica-${index + 1}`,
          startedAs: 'replica',
          directives: (place) => ({ ...replicaAnnouncement(place), replicaof: replicaOf }),
        });
      }),
      started,
    );
    // A Sentinel looks for replicas when it begins to watch, and then rarely: they must be connected by now.
    const startTimeoutMs = options.startTimeoutMs ?? defaultStartTimeoutMs;
    const connected = async (): Promise<void> => {
      for (const replica of replicas) await assertReplicates(replica, primary);
    };
    await eventually(connected, { timeoutMs: startTimeoutMs, what: 'replication' });
    const sentinels = await startNodes(
      Array.from({ length: sentinelCount }, (_, index) => () => {
        return startSentinelNode(`sentinel-${index + 1}`, primary.announcedPort, sentinelSettings, shared);
      }),
      started,
    );
    const topology = sentinelTopology([primary, ...replicas], sentinels, sentinelSettings);
    await topology.settle({ timeoutMs: startTimeoutMs });
    return topology;
  });
}

function sentinelTopology(
  dataNodes: readonly StartedNode[],
  sentinels: readonly StartedNode[],
  { name, password, sentinelPassword }: SentinelSettings,
): SentinelTopology {
  /** The one server that every running Sentinel names and that is a primary. */
  const agreedPrimary = async (): Promise<StartedNode> => {
    const ports = new Set<number>();
    for (const sentinel of sentinels) {
      if (!sentinel.isRunning()) continue;
      const address = (await sentinel.admin.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[];
      ports.add(Number(address[1]));
    }
    const [port, ...others] = ports;
    if (port === undefined || others.length > 0)
      throw new Error(`the Sentinels name ${ports.size} primaries (ports ${[...ports].join(', ')})`);
    const primary = nodeAt(dataNodes, port);
    if (primary === undefined || !primary.isRunning() || (await primary.role()) !== 'primary')
      throw new Error(`port ${port}, which the Sentinels name, is no running primary`);
    return primary;
  };

  const assertSettled = async (): Promise<void> => {
    const primary = await agreedPrimary();
    for (const node of dataNodes)
      if (node !== primary && node.isRunning()) await assertReplicates(node, primary);
    const running = sentinels.filter((sentinel) => sentinel.isRunning());
    for (const sentinel of running) {
      const reply = (await sentinel.admin.call('SENTINEL', 'MASTER', name)) as string[];
      const field = (wanted: string): string | undefined => reply[reply.indexOf(wanted) + 1];
      const others = Number(field('num-other-sentinels'));
      const replicas = Number(field('num-slaves'));
      if (field('flags') !== 'master' || others < running.length - 1 || replicas < dataNodes.length - 1)
        throw new Error(
          `${sentinel.name} finds the primary "${field('flags')}" and knows ${replicas} replicas, ${others} other Sentinels`,
        );
    }
  };

  let stopping: Promise<void> | undefined;
  // Sentinels first: they would start a failover while the servers go.
  const stop = (): Promise<void> => (stopping ??= stopAll(sentinels).then(() => stopAll(dataNodes)));
  return {
    kind: 'sentinel',
    connection: {
      kind: 'sentinel',
      name,
      sentinels: sentinels.map(({ host, announcedPort }) => ({ host, port: announcedPort })),
      ...(password === undefined ? {} : { password }),
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
      database: 0,
    },
    nodes: [...dataNodes, ...sentinels],
    sentinels,
    primaryOf: () => agreedPrimary(),
    replicasOf: async () => replicasOfPort(dataNodes, (await agreedPrimary()).announcedPort),
    async settle({ timeoutMs = 30_000 } = {}) {
      await eventually(assertSettled, { timeoutMs, intervalMs: 25, what: 'agreement of the Sentinels' });
    },
    async failOver() {
      const previous = await agreedPrimary();
      const sentinel = sentinels.find((candidate) => candidate.isRunning());
      if (sentinel === undefined) throw new Error('cannot fail over: no Sentinel runs');
      await sentinel.admin.call('SENTINEL', 'FAILOVER', name);
      return eventually(
        async () => {
          const primary = await agreedPrimary();
          if (primary === previous) throw new Error(`${previous.name} is still the primary`);
          return primary;
        },
        { timeoutMs: 30_000, intervalMs: 25, what: 'the failover' },
      );
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
