/**
 * Where a producer's batches go. Without a wait for copies that is the shared connection. With one it is a connection
 * of the producer's own, because waiting blocks it; opened with the first batch, and again with the next where that failed.
 */
import {
  closeConnection,
  DurableLog,
  hashSlot,
  isCluster,
  isPrimary,
  noteRefusal,
  onReconnect,
  openConnection,
  openNode,
  primaryOfSlot,
  RedisLog,
  type AppendRequest,
  type AppendResult,
  type ClusterConfig,
  type ClusterConnection,
  type Durability,
  type NodeAddress,
  type RedisConnection,
} from '@millrace/redis';
import { connectionName, type ClientContext } from '../connect/client-context.ts';
import { AppendWindow } from './append-window.ts';

export interface Appender {
  /** Answered when the batch is stored as safely as was asked for. Safe to repeat. */
  append(request: AppendRequest): Promise<AppendResult>;
  /** Of the connection that the partition's appends go to; null where nothing limits how many are in flight. */
  windowOf(topic: string, partition: number): AppendWindow | null;
}

export interface CloseableAppender extends Appender {
  close(): Promise<void>;
}

/** `onReady`: appends that failed for want of a connection may go out now. */
export function openAppender(
  client: ClientContext,
  durability: Durability | null,
  onReady: () => void,
): CloseableAppender {
  const { command, config } = client;
  if (durability !== null && isCluster(command) && config.kind === 'cluster')
    return new ClusterAppender({ ...client, command, config }, durability);
  if (durability !== null) return new DurableAppender(client, durability, onReady);
  const log = new RedisLog(command, client.keys);
  const windows = isCluster(command) ? new NodeWindows({ ...client, command }) : null;
  const window = new AppendWindow();
  return {
    append: (request) => log.append(request),
    windowOf: (topic, partition) => windows?.of(topic, partition) ?? window,
    close: () => Promise.resolve(),
  };
}

/** One for each node of a cluster: what waits for a node that hangs must not hold up what goes to the others. */
class NodeWindows {
  readonly #client: Pick<ClusterClient, 'command' | 'keys'>;
  readonly #windows = new Map<string, AppendWindow>();

  constructor(client: Pick<ClusterClient, 'command' | 'keys'>) {
    this.#client = client;
  }

  /** Null while nobody serves the partition's slot. */
  of(topic: string, partition: number): AppendWindow | null {
    const { command, keys } = this.#client;
    const place = command.slots[hashSlot(keys.partition(topic, partition).log)]?.[0];
    if (place === undefined) return null;
    let window = this.#windows.get(place);
    if (window === undefined) {
      window = new AppendWindow();
      this.#windows.set(place, window);
    }
    return window;
  }
}

type ClusterClient = Pick<ClientContext, 'prefix' | 'name' | 'keys'> & {
  readonly command: ClusterConnection;
  readonly config: ClusterConfig;
};

/** One writer to each node, for a WAIT speaks for the node that is asked. No window: what is sent shares one WAIT. */
class ClusterAppender implements CloseableAppender {
  readonly #client: ClusterClient;
  readonly #durability: Durability;
  readonly #writers = new Map<string, { readonly address: NodeAddress; readonly opening: Promise<Writer> }>();
  readonly #unlisten: () => void;

  constructor(client: ClusterClient, durability: Durability) {
    this.#client = client;
    this.#durability = durability;
    this.#unlisten = onReconnect(client.command, () => this.#leaveFormerPrimaries());
  }

  windowOf(): null {
    return null;
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    const { command, keys } = this.#client;
    const slot = hashSlot(keys.partition(request.topic, request.partition).log);
    try {
      const { log } = await this.#writerOf(slot);
      return await log.append(request);
    } catch (error) {
      noteRefusal(command, error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#unlisten();
    await Promise.all([...this.#writers.values()].map(({ opening }) => closeWriter(opening)));
  }

  /** What waits at a node that was replaced would wait until its silence is noticed. */
  #leaveFormerPrimaries(): void {
    for (const [place, { address, opening }] of this.#writers) {
      if (isPrimary(this.#client.command, address)) continue;
      this.#writers.delete(place);
      void closeWriter(opening);
    }
  }

  #writerOf(slot: number): Promise<Writer> {
    const { command, config, keys } = this.#client;
    const address = primaryOfSlot(command, slot);
    const place = `${address.host}:${address.port}`;
    const known = this.#writers.get(place);
    if (known !== undefined) return known.opening;
    const forget = (): void => {
      if (this.#writers.get(place)?.opening === opening) this.#writers.delete(place);
    };
    const name = connectionName(this.#client, 'writer');
    const opening = openNode(config, address, 'writer', name).then((connection) => {
      connection.once('end', forget);
      return { connection, log: new DurableLog(connection, keys, this.#durability) };
    });
    opening.catch(forget);
    this.#writers.set(place, { address, opening });
    return opening;
  }
}

interface Writer {
  readonly connection: RedisConnection;
  readonly log: DurableLog;
}

/** No window: everything that is sent while a WAIT is under way shares the next one. */
class DurableAppender implements CloseableAppender {
  readonly #client: ClientContext;
  readonly #durability: Durability;
  readonly #onReady: () => void;
  #writer: Promise<Writer> | null = null;

  constructor(client: ClientContext, durability: Durability, onReady: () => void) {
    this.#client = client;
    this.#durability = durability;
    this.#onReady = onReady;
  }

  windowOf(): null {
    return null;
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    const { log } = await this.#open();
    return log.append(request);
  }

  async close(): Promise<void> {
    if (this.#writer !== null) await closeWriter(this.#writer);
  }

  #open(): Promise<Writer> {
    this.#writer ??= this.#connect().catch((error: unknown) => {
      this.#writer = null;
      throw error;
    });
    return this.#writer;
  }

  async #connect(): Promise<Writer> {
    const { config, keys } = this.#client;
    const connection = await openConnection(config, 'writer', connectionName(this.#client, 'writer'));
    connection.on('ready', this.#onReady);
    return { connection, log: new DurableLog(connection, keys, this.#durability) };
  }
}

/** One that is still being opened is closed when it is there. */
async function closeWriter(opening: Promise<Writer>): Promise<void> {
  const writer = await opening.catch(() => null);
  if (writer) await closeConnection(writer.connection);
}
