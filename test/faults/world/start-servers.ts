/** Starts the servers of a topology, with the network between them and each process under the runner's control. */
import type { ConnectOptions } from 'millrace';
import {
  createFakeClock,
  startCluster,
  startFaultProxy,
  startSentinel,
  startSingle,
  type ClusterConnection,
  type FakeClock,
  type FaultProxy,
  type RedisNode,
  type SentinelConnection,
  type Topology,
} from '@millrace/testkit';
import type { TopologyName } from '../fault.ts';
import { PRODUCERS, WORKERS } from '../load.ts';
import { Network } from './network.ts';
import type { Servers } from './servers.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** Short, so that a failover fits into a row; not so short that a busy machine makes one. */
const DOWN_AFTER_MS = 2_000;
const NODE_TIMEOUT_MS = 2_000;
const SENTINEL_REPLICAS = 2;

/** What every world has on disk: as operating.md recommends. Rows change `appendfsync` while the servers run. */
const directives = { appendonly: 'yes', appendfsync: 'everysec', 'maxmemory-policy': 'noeviction' };

export function startServers(topology: TopologyName): Promise<Servers> {
  switch (topology) {
    case 'single':
      return startSingleServers();
    case 'sentinel':
      return startSentinelServers();
    case 'cluster':
      return startClusterServers();
    default:
      return topology satisfies never;
  }
}

const PROCESSES = [
  ...Array.from({ length: WORKERS }, (_, index) => `worker-${index + 1}`),
  ...Array.from({ length: PRODUCERS }, (_, index) => `producer-${index + 1}`),
];

/** One server, and a proxy of its own for every process. */
async function startSingleServers(): Promise<Servers> {
  await using starting = new AsyncDisposableStack();
  const clock = starting.use(await createFakeClock());
  const servers = starting.use(await startSingle({ directives, clock }));
  const { primary } = servers;
  const proxies = new Map<string, FaultProxy>();
  for (const proc of PROCESSES)
    proxies.set(
      proc,
      starting.use(await startFaultProxy({ target: { host: primary.host, port: primary.port } })),
    );
  const started = starting.move();
  const proxyOf = (proc: string): FaultProxy => {
    const proxy = proxies.get(proc);
    if (proxy === undefined) throw new Error(`no proxy of ${proc}`);
    return proxy;
  };
  return {
    topology: 'single',
    replicas: 0,
    nodes: servers.nodes,
    connectAs: (proc) => ({ url: `redis://${proxyOf(proc).host}:${proxyOf(proc).port}` }),
    direct: { url: primary.url, connectTimeoutMs: CONNECT_TIMEOUT_MS },
    connectDirectly: { url: primary.url },
    primaryOf: (key) => servers.primaryOf(key),
    replicasOf: (key) => servers.replicasOf(key),
    clock,
    migrateSlot: null,
    settle: () => servers.settle(),
    network: (proc) => new Network([proxyOf(proc)]),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** A proxy before each server; a process is known to all of them by the name of its connections. */
async function startSentinelServers(): Promise<Servers> {
  const clock = await createFakeClock();
  const servers = await startSentinel({
    directives,
    clock,
    proxied: true,
    replicas: SENTINEL_REPLICAS,
    downAfterMs: DOWN_AFTER_MS,
  });
  const { name, sentinels } = servers.connection;
  const connectTo: ConnectOptions = { sentinel: { name, sentinels } };
  return {
    topology: 'sentinel',
    replicas: SENTINEL_REPLICAS,
    ...behindProxies(servers, connectTo, clock),
    settle: () => servers.settle(),
    migrateSlot: null,
  };
}

async function startClusterServers(): Promise<Servers> {
  const clock = await createFakeClock();
  const servers = await startCluster({ directives, clock, proxied: true, nodeTimeoutMs: NODE_TIMEOUT_MS });
  return {
    topology: 'cluster',
    replicas: 1,
    ...behindProxies(servers, { cluster: { seeds: servers.connection.seeds } }, clock),
    settle: () => servers.settle(),
    async migrateSlot(key) {
      const slot = await servers.slotOf(key);
      const from = await servers.primaryOfSlot(slot);
      const others: RedisNode[] = [];
      for (const node of servers.nodes)
        if (node !== from && node.isRunning() && (await node.role()) === 'primary') others.push(node);
      const to = others[slot % others.length];
      if (to === undefined) throw new Error('no other primary to move a slot to');
      return servers.migrateSlot(slot, to, { keysPerStep: 1 });
    },
  };
}

function behindProxies(
  servers: Topology<ClusterConnection | SentinelConnection>,
  connectTo: ConnectOptions,
  clock: FakeClock,
) {
  const dataNodes = servers.nodes.filter(({ startedAs }) => startedAs !== 'sentinel');
  const proxies = dataNodes.flatMap(({ proxy }) => (proxy === undefined ? [] : [proxy]));
  return {
    nodes: dataNodes,
    clock,
    connectAs: () => connectTo,
    direct: { ...servers.connection, connectTimeoutMs: CONNECT_TIMEOUT_MS },
    connectDirectly: connectTo,
    primaryOf: (key: string) => servers.primaryOf(key),
    replicasOf: (key: string) => servers.replicasOf(key),
    network: (proc: string) =>
      new Network(proxies, { select: ({ clientName }) => clientName?.split(':')[1] === proc }),
    async [Symbol.asyncDispose]() {
      await servers.stop();
      await clock[Symbol.asyncDispose]();
    },
  };
}
