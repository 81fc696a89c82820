/** A running Cluster: who owns a key, failovers, slots that move, and the wait until all nodes are of one mind. */
import { eventually } from '../eventually.ts';
import { redisUrl } from '../redis/redis-server.ts';
import { loopback } from '../redis/server-process.ts';
import { describeLayout, ownsSlot, parseClusterNodes } from './cluster-nodes.ts';
import type { ClusterNodeView } from './cluster-nodes.ts';
import { migrateSlot } from './migrate-slot.ts';
import type { MigrateSlotOptions } from './migrate-slot.ts';
import type { RedisNode, StartedNode } from './redis-node.ts';
import { assertReplicates, replicasOfPort } from './replication.ts';
import { stopAll } from './start-nodes.ts';
import { nodeAt } from './topology.ts';
import type { Topology } from './topology.ts';

export interface ClusterConnection {
  readonly kind: 'cluster';
  readonly seeds: readonly string[];
}

/**
 * `orderly`: the primary waits for its replica and hands over, nothing is lost. `force`: the replica asks the other
 * primaries for votes without its own primary's consent. `takeover`: it asks nobody.
 */
export type ClusterFailoverMode = 'orderly' | 'force' | 'takeover';

/** Made by `startCluster`. */
export class ClusterTopology implements Topology<ClusterConnection> {
  readonly kind = 'cluster';
  readonly connection: ClusterConnection;
  readonly #nodes: readonly StartedNode[];
  #stopping: Promise<void> | undefined;

  constructor(nodes: readonly StartedNode[], password: string | undefined) {
    this.#nodes = nodes;
    this.connection = {
      kind: 'cluster',
      seeds: nodes.map(({ announcedPort }) => redisUrl(loopback, announcedPort, password)),
    };
  }

  get nodes(): readonly RedisNode[] {
    return this.#nodes;
  }

  /** The hash slot of a key, its tag respected. */
  async slotOf(key: string): Promise<number> {
    const [node] = this.#running();
    if (node === undefined) throw new Error('no node of the Cluster runs');
    return Number(await node.admin.call('CLUSTER', 'KEYSLOT', key));
  }

  async primaryOf(key: string): Promise<RedisNode> {
    return this.primaryOfSlot(await this.slotOf(key));
  }

  /** Of several that claim the slot, the one with the highest epoch, which is whom the others will believe. */
  async primaryOfSlot(slot: number): Promise<RedisNode> {
    let owner: { readonly node: RedisNode; readonly epoch: number } | undefined;
    for (const node of this.#running()) {
      const views = await readViews(node).catch(() => []);
      const self = views.find(({ isMyself }) => isMyself);
      if (self === undefined || !self.isPrimary || !ownsSlot(self, slot)) continue;
      if (owner === undefined || self.configEpoch > owner.epoch) owner = { node, epoch: self.configEpoch };
    }
    if (owner === undefined) throw new Error(`no running node owns slot ${slot}`);
    return owner.node;
  }

  async replicasOf(key: string): Promise<readonly RedisNode[]> {
    return this.replicasOfNode(await this.primaryOf(key));
  }

  /** Also of a primary that does not run: those that still follow it. */
  async replicasOfNode(primary: RedisNode): Promise<readonly RedisNode[]> {
    return replicasOfPort(this.#nodes, primary.announcedPort);
  }

  /** Has a replica of the key's primary take over. Gives it when all running nodes agree. */
  async failOver(key: string, mode: ClusterFailoverMode = 'orderly'): Promise<RedisNode> {
    const slot = await this.slotOf(key);
    const previous = await this.primaryOfSlot(slot);
    const [replica] = await this.replicasOfNode(previous);
    if (replica === undefined) throw new Error(`cannot fail over: ${previous.name} has no running replica`);
    await replica.admin.call('CLUSTER', 'FAILOVER', ...(mode === 'orderly' ? [] : [mode.toUpperCase()]));
    return eventually(
      async () => {
        for (const node of this.#running()) {
          const owner = (await readViews(node)).find((view) => ownsSlot(view, slot));
          if (owner?.port !== replica.announcedPort)
            throw new Error(`${node.name} believes port ${owner?.port} to own slot ${slot}`);
        }
        return replica;
      },
      { timeoutMs: 30_000, intervalMs: 25, what: `the failover to ${replica.name}` },
    );
  }

  /** Moves a slot with its keys, a few at a time, as an operator does it: clients meet ASK, TRYAGAIN and then MOVED. */
  async migrateSlot(slot: number, to: RedisNode, options: MigrateSlotOptions = {}): Promise<number> {
    const from = await this.primaryOfSlot(slot);
    if (from === to) return 0;
    return migrateSlot(slot, from, to, this.#running(), options);
  }

  async settle({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    await eventually(() => this.#assertSettled(), {
      timeoutMs,
      intervalMs: 25,
      what: 'agreement of the Cluster',
    });
  }

  /** Part of the start: replicas can be dealt when every node has met every other. */
  async waitUntilAllKnow(count: number, timeoutMs: number): Promise<void> {
    const check = async (): Promise<void> => {
      for (const node of this.#running()) {
        const known = (await readViews(node)).filter(({ isDoubtful }) => !isDoubtful).length;
        if (known !== count) throw new Error(`${node.name} knows ${known} of ${count} nodes`);
      }
    };
    await eventually(check, { timeoutMs, intervalMs: 25, what: 'acquaintance of the nodes' });
  }

  stop(): Promise<void> {
    return (this.#stopping ??= stopAll(this.#nodes));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #running(): StartedNode[] {
    return this.#nodes.filter((node) => node.isRunning());
  }

  async #assertSettled(): Promise<void> {
    const layouts = new Map<string, string>();
    const running = this.#running();
    for (const node of running) {
      const info = (await node.admin.call('CLUSTER', 'INFO')) as string;
      if (!info.includes('cluster_state:ok')) throw new Error(`${node.name} finds the Cluster down`);
      const views = (await readViews(node)).filter(({ port }) => nodeAt(running, port) !== undefined);
      layouts.set(describeLayout(views), node.name);
      const self = views.find(({ isMyself }) => isMyself);
      const primary = nodeAt(running, views.find(({ id }) => id === self?.primaryId)?.port ?? 0);
      if (primary !== undefined) await assertReplicates(node, primary);
    }
    if (layouts.size !== 1) {
      const told = [...layouts].map(([layout, name]) => `${name}:\n${layout}`).join('\n');
      throw new Error(`the nodes tell ${layouts.size} layouts\n${told}`);
    }
    const [layout = ''] = layouts.keys();
    if (layout.includes('in doubt')) throw new Error(`a running node is in doubt\n${layout}`);
  }
}

async function readViews(node: RedisNode): Promise<ClusterNodeView[]> {
  return parseClusterNodes((await node.admin.call('CLUSTER', 'NODES')) as string);
}
