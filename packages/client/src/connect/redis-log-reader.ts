/**
 * The consumer's own connection for blocking reads, and the way to end a block early. On a shared connection a blocked
 * read would hold up every other command.
 */
import { ConfigError, type StoredBatch } from '@millrace/core';
import {
  closeConnection,
  openConnection,
  OtherServerError,
  readBatches,
  toMillraceError,
  type ReadPosition,
  type RedisConnection,
} from '@millrace/redis';
import type { LogReader } from './backend.ts';
import { connectionName, type ClientContext } from './client-context.ts';

type ReaderContext = Pick<ClientContext, 'config' | 'prefix' | 'name' | 'keys' | 'command'>;

export class RedisLogReader implements LogReader {
  readonly #context: ReaderContext;
  #connection: RedisConnection | null = null;
  /** Id of the connection at the server; another one after every reconnect. */
  #clientId = 0;

  constructor(context: ReaderContext) {
    this.#context = context;
  }

  /** Throws what `openConnection` throws. */
  async open(): Promise<void> {
    const connection = await openConnection(
      this.#context.config,
      'reader',
      connectionName(this.#context, 'reader'),
    );
    this.#connection = connection;
    connection.on('ready', () => {
      // Without the id a block ends by itself, later; the next reconnect asks again.
      this.#learnClientId(connection).catch(() => {});
    });
    await this.#learnClientId(connection);
  }

  async read(
    positions: readonly ReadPosition[],
    maxEntries: number,
    blockMs: number,
  ): Promise<readonly StoredBatch[]> {
    const connection = this.#connection;
    if (connection === null) throw new ConfigError('INVALID_OPTION', 'the reader is not open');
    try {
      return await readBatches(connection, this.#context.keys, positions, { maxEntries, blockMs });
    } catch (error) {
      // It may be this connection that was left behind at a server that is no primary any more, and answers all the same.
      if (error instanceof OtherServerError) connection.disconnect(true);
      throw error;
    }
  }

  /** Throws what `toMillraceError` gives. */
  async unblock(): Promise<void> {
    try {
      await this.#context.command.client('UNBLOCK', this.#clientId);
    } catch (error) {
      throw toMillraceError(error, 'CLIENT UNBLOCK');
    }
  }

  /** Ends a blocked read at once. */
  async close(): Promise<void> {
    if (this.#connection !== null) await closeConnection(this.#connection);
  }

  async #learnClientId(connection: RedisConnection): Promise<void> {
    this.#clientId = await connection.client('ID');
  }
}
