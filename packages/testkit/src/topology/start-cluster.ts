/** A Redis Cluster of primaries and replicas on this machine, with slots dealt evenly, ready for writes on every node. */
import { provideRedisBinary } from '../redis/provide-binary.ts';
import { findFreePort } from '../redis/free-port.ts';
import { loopback } from '../redis/server-process.ts';
import { ClusterTopology } from './cluster-topology.ts';
import { startDataNode } from './data-node.ts';
import { SourceAddresses } from './redis-node.ts';
import type { StartedNode } from './redis-node.ts';
import { orStopAll, startNodes } from './start-nodes.ts';
import { defaultStartTimeoutMs } from './topology.ts';
import type { TopologyOptions } from './topology.ts';

export interface StartClusterOptions extends TopologyOptions {
  /** Default 3, which is the least that can vote. */
  readonly primaries?: number;
  /** All together, dealt to the primaries in turn. Default: one for each primary. */
  readonly replicas?: number;
  /** Silence after which a node is suspected (Redis' default: 15,000). Default 2,000. */
  readonly nodeTimeoutMs?: number;
}

const slotCount = 16_384;

/** @throws {NoRedisError} when there is no binary and none can be installed. */
export async function startCluster(options: StartClusterOptions = {}): Promise<ClusterTopology> {
  const binary = options.binary ?? (await provideRedisBinary());
  const sources = options.proxied === true ? new SourceAddresses() : undefined;
  const primaryCount = options.primaries ?? 3;
  const replicaCount = options.replicas ?? primaryCount;
  const nodeTimeoutMs = options.nodeTimeoutMs ?? 2_000;
  const busPorts = new Map<string, number>();

  return orStopAll(async (started) => {
    const nodes = await startNodes(
      Array.from({ length: primaryCount + replicaCount }, (_, index) => () => {
        const name = `node-${index + 1}`;
        return startDataNode({
          name,
          startedAs: index < primaryCount ? 'primary' : 'replica',
          binary,
          options,
          sources,
          directives: async ({ announcedPort }) => {
            const busPort = await findFreePort();
            busPorts.set(name, busPort);
            return {
              'cluster-enabled': 'yes',
              'cluster-config-file': 'nodes.conf',
              'cluster-node-timeout': String(nodeTimeoutMs),
              // Of its own: the usual "port + 10000" lies among the ports that the kernel gives to connections.
              'cluster-port': String(busPort),
              'cluster-announce-ip': loopback,
              'cluster-announce-port': String(announcedPort),
              'cluster-announce-bus-port': String(busPort),
              // A replica that moves to another primary by itself would change what a test has counted on.
              'cluster-allow-replica-migration': 'no',
            };
          },
        });
      }),
      started,
    );
    const busPortOf = (node: StartedNode): number => busPorts.get(node.name) ?? 0;
    const topology = new ClusterTopology(nodes, options.requirepass);
    const timeoutMs = options.startTimeoutMs ?? defaultStartTimeoutMs;
    await dealSlots(nodes.slice(0, primaryCount));
    await introduce(nodes, busPortOf);
    await topology.waitUntilAllKnow(nodes.length, timeoutMs);
    await dealReplicas(nodes, primaryCount);
    await topology.settle({ timeoutMs });
    return topology;
  });
}

async function dealSlots(primaries: readonly StartedNode[]): Promise<void> {
  for (const [index, primary] of primaries.entries()) {
    const first = Math.floor((index * slotCount) / primaries.length);
    const last = Math.floor(((index + 1) * slotCount) / primaries.length) - 1;
    await primary.admin.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
  }
}

async function introduce(
  nodes: readonly StartedNode[],
  busPortOf: (node: StartedNode) => number,
): Promise<void> {
  // Epochs that differ from the start save the nodes from finding out by collision.
  for (const [index, node] of nodes.entries())
    await node.admin.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  const [host, ...others] = nodes;
  for (const node of others)
    await host?.admin.call('CLUSTER', 'MEET', loopback, node.announcedPort, busPortOf(node));
}

async function dealReplicas(nodes: readonly StartedNode[], primaryCount: number): Promise<void> {
  for (const [index, replica] of nodes.slice(primaryCount).entries()) {
    const primary = nodes[index % primaryCount];
    if (primary === undefined) continue;
    const id = (await primary.admin.call('CLUSTER', 'MYID')) as string;
    await replica.admin.call('CLUSTER', 'REPLICATE', id);
  }
}
