/**
 * What every topology gives a test: its servers, what clients need to connect, and who is in charge of a key now. Three
 * starters make it (`start-single`, `start-sentinel`, `start-cluster`); all servers die with the process that started them.
 */
import type { FakeClock } from '../faults/fake-clock.ts';
import type { RedisNode } from './redis-node.ts';

export interface Topology<Connection> extends AsyncDisposable {
  /** Plain data for `connect()`: through the proxies, when there are any. Holds the password when one is set. */
  readonly connection: Connection;
  /** Servers with data first, in the order of their start; Sentinels last. */
  readonly nodes: readonly RedisNode[];
  /** The server that takes writes for the key. Asked now; rejects while nobody does. */
  primaryOf(key: string): Promise<RedisNode>;
  /** The running servers that replicate that one, connected to it or not. */
  replicasOf(key: string): Promise<readonly RedisNode[]>;
  /**
   * Waits until all running servers agree on who is in charge and every running replica is connected to its primary, as
   * after the start. Rejects with what is still missing.
   */
  settle(options?: { /** Default 30,000. */ readonly timeoutMs?: number }): Promise<void>;
  /** Kills all servers and deletes their data. Safe to call twice. */
  stop(): Promise<void>;
}

export interface TopologyOptions {
  /**
   * Lines of redis.conf for the servers with data, as for `startRedis`: `appendonly`, `appendfsync`, `save`, `maxmemory`,
   * `min-replicas-to-write` … They replace the starter's own of the same name.
   */
  readonly directives?: Readonly<Record<string, string | readonly string[]>>;
  /** Password of the default user, also between the servers. Default: none. */
  readonly requirepass?: string;
  /**
   * A fault proxy before every server, and connection data that leads through them (default false). Servers reach each
   * other through them too; what is applied without `links` concerns clients only. Linux only.
   */
  readonly proxied?: boolean;
  /** The server binary. Default: `redis-server` or `valkey-server` on the PATH, installed when that is possible. */
  readonly binary?: string;
  /** The wall clock of all servers with data, or of one by its name. Default: the real one. Sentinels keep that. */
  readonly clock?: FakeClock | ((name: string) => FakeClock | undefined);
  /** How long one server, and then the whole topology, may take until it answers. Default 30,000. */
  readonly startTimeoutMs?: number;
}

export const defaultStartTimeoutMs = 30_000;

/** The node with that announced port, as a server or a Sentinel names it. */
export function nodeAt<Node extends RedisNode>(
  nodes: readonly Node[],
  announcedPort: number,
): Node | undefined {
  return nodes.find((node) => node.announcedPort === announcedPort);
}
