/**
 * Where a producer's batches go. Without a wait for copies that is the shared connection. With one it is a connection
 * of the producer's own, because waiting blocks it; opened with the first batch, and again with the next where that failed.
 */
import {
  closeConnection,
  DurableLog,
  openConnection,
  RedisLog,
  type AppendRequest,
  type AppendResult,
  type Durability,
  type RedisConnection,
} from '@millrace/redis';
import { connectionName, type ClientContext } from '../connect/client-context.ts';

export interface Appender {
  /** Answered when the batch is stored as safely as was asked for. Safe to repeat. */
  append(request: AppendRequest): Promise<AppendResult>;
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
  if (durability !== null) return new DurableAppender(client, durability, onReady);
  const log = new RedisLog(client.command, client.keys);
  return { append: (request) => log.append(request), close: () => Promise.resolve() };
}

interface Writer {
  readonly connection: RedisConnection;
  readonly log: DurableLog;
}

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

  async append(request: AppendRequest): Promise<AppendResult> {
    const { log } = await this.#open();
    return log.append(request);
  }

  async close(): Promise<void> {
    // Still being opened: it is closed when it is there.
    const writer = await this.#writer?.catch(() => null);
    if (writer) await closeConnection(writer.connection);
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
