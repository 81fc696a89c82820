/**
 * The consumer's own connection for blocking reads, and the way to end a block early. On a shared connection a blocked
 * read would hold up every other command.
 */
import type { StoredBatch } from '@millrace/core';
import {
  openReader,
  OtherServerError,
  readBatches,
  toMillraceError,
  type ReaderConnection,
  type ReadPosition,
} from '@millrace/redis';
import type { LogReader } from './backend.ts';
import { connectionName, type ClientContext } from './client-context.ts';

type ReaderContext = Pick<ClientContext, 'config' | 'prefix' | 'name' | 'keys' | 'command'>;

export class RedisLogReader implements LogReader {
  readonly #context: Pick<ReaderContext, 'command'>;
  readonly #connection: ReaderConnection;

  private constructor(context: Pick<ReaderContext, 'command'>, connection: ReaderConnection) {
    this.#context = context;
    this.#connection = connection;
  }

  /** Throws what `openReader` throws. */
  static async open(context: ReaderContext): Promise<RedisLogReader> {
    const name = connectionName(context, 'reader');
    return new RedisLogReader(context, await openReader(context.config, context.keys, name));
  }

  async read(
    positions: readonly ReadPosition[],
    maxEntries: number,
    blockMs: number,
  ): Promise<readonly StoredBatch[]> {
    try {
      return await readBatches(this.#connection, positions, { maxEntries, blockMs });
    } catch (error) {
      // It may be this connection that was left behind at a server that is no primary any more, and answers all the same.
      if (error instanceof OtherServerError) this.#connection.reconnect();
      throw error;
    }
  }

  /** Throws what `toMillraceError` gives. */
  async unblock(): Promise<void> {
    try {
      await this.#context.command.client('UNBLOCK', this.#connection.clientId);
    } catch (error) {
      throw toMillraceError(error, 'CLIENT UNBLOCK');
    }
  }

  /** Ends a blocked read at once. */
  close(): Promise<void> {
    return this.#connection.close();
  }
}
