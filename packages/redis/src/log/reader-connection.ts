/**
 * The connection that logs are read on. It speaks to Redis by itself: of a lone record's way from the socket to its
 * handler, the driver's command objects and promises were the larger part (docs/adr/0014).
 */
import type { ClusterConfig, ConnectionConfig, NodeAddress } from '../connection/connection-config.ts';
import {
  closeConnection,
  openConnection,
  openNode,
  type RedisConnection,
} from '../connection/open-connection.ts';
import { toMillraceError } from '../connection/to-millrace-error.ts';
import type { Keys } from '../keys.ts';
import { argument } from '../wire/argument.ts';
import { MalformedReplyError, ReplyError } from '../wire/reply-error.ts';
import type { Reply } from '../wire/reply-parser.ts';
import { WireChannel } from '../wire/wire-channel.ts';
import type { EntryReader, ReadAnswer, ReadOptions, ReadPosition } from './read-batches.ts';
import { ReadCommands } from './read-command.ts';
import { IdentityReader, streamsOf } from './read-reply.ts';

const INFO_TEXT = '*2\r\n$4\r\ninfo\r\n$11\r\nreplication\r\n';
const CLIENT_ID_TEXT = '*2\r\n$6\r\nclient\r\n$2\r\nID\r\n';

/** As `openConnection`, in the role of a reader; comes back by itself when it was lost. */
export async function openReader(
  config: ConnectionConfig,
  keys: Keys,
  name: string,
): Promise<ReaderConnection> {
  const redis = await openConnection(config, 'reader', name);
  const reader = new ReaderConnection(redis, keys);
  try {
    await reader.untilKnown();
    return reader;
  } catch (error) {
    await closeConnection(redis);
    throw toMillraceError(error, 'CLIENT ID');
  }
}

/**
 * As `openNode`, in the role of a reader; does not come back once it is lost. Its id is being asked for: whoever opened it
 * can close it before that is answered.
 */
export async function openNodeReader(
  config: ClusterConfig,
  address: NodeAddress,
  keys: Keys,
  name: string,
): Promise<ReaderConnection> {
  return new ReaderConnection(await openNode(config, address, 'reader', name), keys);
}

export class ReaderConnection implements EntryReader {
  readonly #redis: RedisConnection;
  readonly #channel: WireChannel;
  readonly #commands: ReadCommands;
  readonly #identity = new IdentityReader();
  #clientId = 0;
  /** Never asked for where the connection is lost before it could be taken over. */
  #known: Promise<void> = Promise.reject(new Error('Connection is closed.'));

  /** Nothing else may send on that connection. */
  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#known.catch(() => {});
    this.#commands = new ReadCommands(keys);
    this.#channel = new WireChannel(redis);
    this.#channel.start(() => {
      this.#clientId = 0;
      this.#known = this.#learnClientId();
      // Without the id a block ends by itself, later; the next reconnect asks again.
      this.#known.catch(() => {});
    });
  }

  /**
   * What CLIENT UNBLOCK takes: another one after every reconnect. 0, which is nobody's, while it is not known: the former one
   * may be somebody else's by then.
   */
  get clientId(): number {
    return this.isUsable ? this.#clientId : 0;
  }

  get isUsable(): boolean {
    return this.#channel.isUsable;
  }

  /** `clientId` is known. Rejects where the connection was lost meanwhile, or the user may not ask. */
  untilKnown(): Promise<void> {
    return this.#known;
  }

  /** One write, one answer: INFO is asked behind the read, at no round trip and no wake-up of its own. */
  readEntries<T>(
    positions: readonly ReadPosition[],
    options: ReadOptions,
    take: (answer: ReadAnswer) => T,
  ): Promise<T> {
    const { names, text } = this.#commands.of(positions, options);
    const asksServer = positions.some((position) => position.server !== undefined);
    return new Promise((resolve, reject: (error: Error) => void) => {
      const settle = ([read, info]: readonly Reply[]): void => {
        if (read instanceof ReplyError) return reject(read);
        if (info instanceof ReplyError) return reject(info);
        const server = asksServer ? this.#identity.identityIn(info) : null;
        const answer = { names, streams: streamsOf(read), server };
        try {
          resolve(take(answer));
        } catch (error) {
          reject(error as Error);
        }
      };
      this.#channel.send(asksServer ? text + INFO_TEXT : text, asksServer ? 2 : 1, settle, reject);
    });
  }

  /** Ends the wait of another connection to the same server. */
  async unblock(clientId: number): Promise<void> {
    await this.#ask(`*3\r\n$6\r\nclient\r\n$7\r\nUNBLOCK\r\n${argument(String(clientId))}`);
  }

  async #learnClientId(): Promise<void> {
    this.#clientId = await this.#ask(CLIENT_ID_TEXT);
  }

  /** Leaves this server and looks for the right one again. */
  reconnect(): void {
    this.#redis.disconnect(true);
  }

  disconnect(): void {
    this.#redis.disconnect();
  }

  /** When it is gone for good. */
  onceEnded(run: () => void): void {
    this.#redis.once('end', run);
  }

  /** Rejects what is under way. */
  close(): Promise<void> {
    return closeConnection(this.#redis);
  }

  #ask(text: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const settle = ([reply]: readonly Reply[]): void => {
        if (typeof reply === 'number') return resolve(reply);
        if (reply instanceof ReplyError) return reject(reply);
        throw new MalformedReplyError('a number was asked for');
      };
      this.#channel.send(text, 1, settle, reject);
    });
  }
}
