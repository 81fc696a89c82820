/** The servers of a world, of whichever topology, and the network between each process and them. */
import type { FakeClock, RedisNode } from '@millrace/testkit';
import type { ConnectOptions } from 'millrace';
import type { ConnectionConfig } from '@millrace/redis';
import type { TopologyName } from '../fault.ts';
import type { Network } from './network.ts';

export interface Servers extends AsyncDisposable {
  readonly topology: TopologyName;
  /** Servers with data. */
  readonly nodes: readonly RedisNode[];
  /** How the process connects: through the network that faults cut. */
  connectAs(proc: string): ConnectOptions;
  /** How the runner connects: past it. */
  readonly direct: ConnectionConfig;
  readonly connectDirectly: ConnectOptions;
  primaryOf(key: string): Promise<RedisNode>;
  replicasOf(key: string): Promise<readonly RedisNode[]>;
  /** Of each primary. */
  readonly replicas: number;
  /** Of all servers with data. */
  readonly clock: FakeClock;
  /** Moves the slot of the key to another primary, key by key; gives their number. `null` without slots. */
  readonly migrateSlot: ((key: string) => Promise<number>) | null;
  /** Waits until all servers that run are of one mind, with every replica connected. */
  settle(): Promise<void>;
  /** Between this process and all servers. */
  network(proc: string): Network;
}
