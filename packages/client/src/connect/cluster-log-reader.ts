/**
 * Reads the logs of a cluster: each slot by itself, from the node that serves it at the moment. What one node does, or
 * does not answer, never holds up the slots of another.
 */
import {
  ConfigError,
  parsePartitionKey,
  partitionKey,
  type PartitionKey,
  type StoredBatch,
} from '@millrace/core';
import {
  hashSlot,
  isPrimary,
  noteRefusal,
  onReconnect,
  openNodeReader,
  primaryOfSlot,
  readBatches,
  type ClusterConfig,
  type ClusterConnection,
  type NodeAddress,
  type ReadPosition,
} from '@millrace/redis';
import type { LogReader } from './backend.ts';
import { connectionName, type ClientContext } from './client-context.ts';
import { NodeReaders, type Read } from './node-readers.ts';

type ReaderContext = Pick<ClientContext, 'prefix' | 'name' | 'keys' | 'clock'> & {
  readonly config: ClusterConfig;
  readonly command: ClusterConnection;
};

/**
 * Connections of one consumer that wait for records, over all nodes. Slots beyond it take turns. All members of a group
 * together have no more of them than the topics have partitions; this bounds the one that has to do all the work.
 */
const MAX_BLOCKING = 128;

export class ClusterLogReader implements LogReader {
  readonly #context: ReaderContext;
  readonly #slots = new Map<PartitionKey, number>();
  readonly #nodes = new Map<string, { readonly address: NodeAddress; readonly readers: NodeReaders }>();
  readonly #unlisten: () => void;
  #isClosed = false;

  constructor(context: ReaderContext) {
    this.#context = context;
    this.#unlisten = onReconnect(context.command, () => this.#leaveFormerPrimaries());
  }

  sourceOf(partition: PartitionKey): string {
    return String(this.#slotOf(partition));
  }

  async read(
    positions: readonly ReadPosition[],
    maxEntries: number,
    blockMs: number,
  ): Promise<readonly StoredBatch[]> {
    const [first] = positions;
    if (first === undefined) return [];
    if (this.#isClosed) throw new ConfigError('INVALID_OPTION', 'the reader is closed');
    const { command } = this.#context;
    const slot = this.#slotOf(partitionKey(first.topic, first.partition));
    const read: Read = (connection, turnMs) =>
      readBatches(connection, positions, { maxEntries, blockMs: turnMs });
    try {
      const node = this.#nodeOf(slot);
      return await (blockMs > 0 ? node.readBlocked(slot, blockMs, read) : node.readNow(read));
    } catch (error) {
      noteRefusal(command, error);
      throw error;
    }
  }

  async unblock(source: string): Promise<void> {
    const slot = Number(source);
    // The read may still wait at the node that served the slot before.
    await Promise.all([...this.#nodes.values()].map(({ readers }) => readers.unblock(slot)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unlisten();
    await Promise.all([...this.#nodes.values()].map(({ readers }) => readers.close()));
  }

  #slotOf(partition: PartitionKey): number {
    let slot = this.#slots.get(partition);
    if (slot === undefined) {
      const { topic, partition: number } = parsePartitionKey(partition);
      slot = hashSlot(this.#context.keys.partition(topic, number).log);
      this.#slots.set(partition, slot);
    }
    return slot;
  }

  #nodeOf(slot: number): NodeReaders {
    const { command, config, clock, keys } = this.#context;
    const address = primaryOfSlot(command, slot);
    const place = `${address.host}:${address.port}`;
    const known = this.#nodes.get(place);
    if (known !== undefined) return known.readers;
    const name = connectionName(this.#context, 'reader');
    const share = Math.max(1, Math.floor(MAX_BLOCKING / Math.max(1, command.nodes('master').length)));
    const open = () => openNodeReader(config, address, keys, name);
    const readers = new NodeReaders({ clock, open }, share);
    this.#nodes.set(place, { address, readers });
    return readers;
  }

  /** What waits at a node that was replaced would wait until its silence is noticed. */
  #leaveFormerPrimaries(): void {
    for (const [place, { address, readers }] of this.#nodes) {
      if (isPrimary(this.#context.command, address)) continue;
      this.#nodes.delete(place);
      void readers.close();
    }
  }
}
