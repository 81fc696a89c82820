/**
 * Which server serves each slot of a cluster, and when that changes: a failover, a restart, a slot that moved.
 * The driver tells of nodes and of nothing else, and looks at the cluster only now and then; here a node that is gone is
 * hunted for until every slot has a server again.
 */
import type { Cluster, Redis } from 'ioredis';
import { SLOTS } from './hash-slot.ts';
import { serverIdentity } from './server-identity.ts';

export interface SlotChanges {
  /** Slots that commands can be sent for again, or by another connection than before. */
  readonly reconnected: ReadonlySet<number>;
  /** Those of them that are served by another server than before. */
  readonly otherServer: ReadonlySet<number>;
}

const HUNT_INTERVAL_MS = 250;

interface SlotServer {
  readonly connection: Redis;
  readonly identity: string;
}

export class ClusterServers {
  readonly #cluster: Cluster;
  readonly #identities = new WeakMap<Redis, string>();
  readonly #slots: (SlotServer | undefined)[] = [];
  readonly #listeners = new Set<(changes: SlotChanges) => void>();
  #looking: Promise<void> | null = null;
  #mustLookAgain = false;
  #hunt: NodeJS.Timeout | null = null;
  #isStopped = false;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
    cluster.on('refresh', () => void this.look());
    cluster.on('ready', () => void this.look());
    cluster.on('-node', () => this.#huntSoon());
  }

  /** Ends all of it, when the cluster client is closed. */
  static stop(cluster: Cluster): void {
    const servers = ClusterServers.of(cluster);
    // Not told by the client's own status: what it closes last takes that from 'end' back to 'close'.
    servers.#isStopped = true;
    servers.#stopHunting();
  }

  static readonly #all = new WeakMap<Cluster, ClusterServers>();

  /** One for each cluster client, so that all who listen share the questions to the nodes. */
  static of(cluster: Cluster): ClusterServers {
    let servers = ClusterServers.#all.get(cluster);
    if (servers === undefined) {
      servers = new ClusterServers(cluster);
      ClusterServers.#all.set(cluster, servers);
    }
    return servers;
  }

  /** Returns a function that stops it. */
  onChange(listener: (changes: SlotChanges) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Asks the primaries who they are, where that is not known, and tells the listeners what has changed. */
  look(): Promise<void> {
    this.#mustLookAgain = this.#looking !== null;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
      if (this.#mustLookAgain) void this.look();
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    // Before that the driver has put all nodes in doubt and is about to tell them anew (`ready`).
    if (this.#isStopped || this.#cluster.status !== 'ready') return;
    const primaries = new Map<string, Redis>();
    for (const node of this.#cluster.nodes('master')) {
      const { host = '127.0.0.1', port = 6379 } = node.options;
      // As the driver writes it in its table of slots.
      primaries.set(`${host}:${port}`, node);
    }
    // Whoever was demoted and comes back has another identity then.
    for (const node of this.#cluster.nodes('slave')) this.#identities.delete(node);
    await Promise.all([...primaries.values()].map((node) => this.#identify(node)));
    const { isComplete, changes } = this.#compare(primaries);
    if (changes.reconnected.size > 0) for (const listener of this.#listeners) listener(changes);
    if (isComplete) this.#stopHunting();
    else this.#huntSoon();
  }

  async #identify(node: Redis): Promise<void> {
    if (this.#identities.has(node)) return;
    try {
      this.#identities.set(node, await serverIdentity(node));
    } catch {
      // It is away: its slots go without a server until a later look finds one.
    }
  }

  #compare(primaries: ReadonlyMap<string, Redis>): { isComplete: boolean; changes: SlotChanges } {
    const reconnected = new Set<number>();
    const otherServer = new Set<number>();
    let isComplete = true;
    for (let slot = 0; slot < SLOTS; slot++) {
      const place = this.#cluster.slots[slot]?.[0];
      const connection = place === undefined ? undefined : primaries.get(place);
      const identity = connection === undefined ? undefined : this.#identities.get(connection);
      if (connection === undefined || identity === undefined || connection.status === 'end') {
        isComplete = false;
        continue;
      }
      const before = this.#slots[slot];
      if (before?.connection === connection) continue;
      this.#slots[slot] = { connection, identity };
      if (before === undefined) continue;
      reconnected.add(slot);
      if (before.identity !== identity) otherServer.add(slot);
    }
    return { isComplete, changes: { reconnected, otherServer } };
  }

  #huntSoon(): void {
    if (this.#hunt !== null || this.#isStopped) return;
    this.#hunt = setTimeout(() => {
      this.#hunt = null;
      // Told by the event `refresh` when it succeeds.
      this.#cluster.refreshSlotsCache((error) => {
        if (error) this.#huntSoon();
      });
    }, HUNT_INTERVAL_MS);
  }

  #stopHunting(): void {
    if (this.#hunt !== null) clearTimeout(this.#hunt);
    this.#hunt = null;
  }
}
