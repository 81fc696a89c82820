/**
 * Commands and replies past the driver, on a connection that the driver opens, authenticates, finds again and closes.
 * The driver's parser listens to the socket's data like anybody else; once the connection is ready, and with that
 * everything answered that the driver itself has asked, this listener takes its place until the socket closes. From
 * then on nothing may be sent through the driver: keep the connection to yourself.
 */
import type { RedisConnection } from '../connection/open-connection.ts';
import { giveBack } from './give-back.ts';
import { MalformedReplyError, ReplyError } from './reply-error.ts';
import { ReplyParser, type Reply } from './reply-parser.ts';

/** Commands of one write. */
interface Awaited {
  readonly count: number;
  readonly replies: Reply[];
  /** Throws where the replies are none to this question. */
  readonly settle: (replies: readonly Reply[]) => void;
  readonly fail: (error: Error) => void;
}

/** Silence is looked for this many times in the time that is allowed: a timer for each command costs more than it finds. */
const LOOKS = 7;
/** A smaller piece is not worth a copy of what would keep it. */
const LEAST_WANTED_BYTES = 16_384;

export class WireChannel {
  readonly #redis: RedisConnection;
  readonly #awaited: Awaited[] = [];
  /** Taken over and not closed. */
  #stream: RedisConnection['stream'] | null = null;
  /** Something came, or something was asked when nothing was due, since the last look. */
  #isStirred = false;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * To be called once, before anything is sent. `onTaken` is called whenever commands can be sent again: within this call
   * where the connection is ready.
   */
  start(onTaken: () => void): void {
    this.#redis.on('ready', () => this.#takeOver(onTaken));
    if (this.#redis.status === 'ready') this.#takeOver(onTaken);
  }

  get isUsable(): boolean {
    return this.#stream?.writable === true;
  }

  /**
   * Sends `count` commands, as they go over the wire (ASCII), and calls `settle` with their replies or `fail` with what
   * `toMillraceError` takes: at once, before anything was sent, where the connection cannot be used. An error that Redis
   * answers is a reply.
   */
  send(text: string, count: number, settle: Awaited['settle'], fail: Awaited['fail']): void {
    const stream = this.#stream;
    if (stream === null || !stream.writable) {
      fail(new Error("Stream isn't writeable: the connection is not ready"));
      return;
    }
    if (this.#awaited.length === 0) this.#isStirred = true;
    this.#awaited.push({ count, replies: [], settle, fail });
    stream.write(text, 'latin1');
  }

  #takeOver(onTaken: () => void): void {
    const { stream } = this.#redis;
    // Ready is a state first and an event a tick later.
    if (stream === this.#stream || stream.destroyed) return;
    this.#stream = stream;
    const parser = new ReplyParser((reply) => this.#onReply(reply));
    stream.removeAllListeners('data');
    // What comes decrypted lies in memory that Node goes on using (since Node 26).
    const isOurs = !('encrypted' in stream);
    stream.on('data', (piece: Buffer) => {
      this.#isStirred = true;
      try {
        if (parser.write(piece, isOurs && piece.length >= LEAST_WANTED_BYTES)) giveBack(piece);
      } catch (error) {
        this.#giveUp(stream, error as Error);
      }
    });
    const watch = this.#watchSilence(stream);
    stream.once('close', () => {
      clearInterval(watch);
      if (this.#stream === stream) this.#stream = null;
      // The driver's word for it.
      this.#failAll(new Error('Connection is closed.'));
    });
    onTaken();
  }

  #onReply(reply: Reply): void {
    const [awaited] = this.#awaited;
    if (awaited === undefined) throw new MalformedReplyError('nothing was asked');
    if (reply instanceof ReplyError) this.#reconnectFor(reply);
    if (awaited.replies.push(reply) < awaited.count) return;
    awaited.settle(awaited.replies);
    this.#awaited.shift();
  }

  /** What the connection's options say of the driver's own commands. */
  #reconnectFor(error: ReplyError): void {
    const { reconnectOnError } = this.#redis.options;
    if (reconnectOnError?.(error)) this.#redis.disconnect(true);
  }

  /** A socket that is silent while something is due is destroyed, after `socketTimeout` and at most a seventh more. */
  #watchSilence(stream: RedisConnection['stream']): NodeJS.Timeout | undefined {
    const { socketTimeout } = this.#redis.options;
    if (socketTimeout === undefined) return undefined;
    let silentLooks = 0;
    const look = (): void => {
      const isSilent = this.#awaited.length > 0 && !this.#isStirred;
      this.#isStirred = false;
      silentLooks = isSilent ? silentLooks + 1 : 0;
      if (silentLooks < LOOKS) return;
      const what = `Expecting data, but didn't receive any in ${socketTimeout}ms.`;
      this.#giveUp(stream, new Error(`Socket timeout. ${what}`));
    };
    return setInterval(look, socketTimeout / LOOKS).unref();
  }

  #giveUp(stream: RedisConnection['stream'], error: Error): void {
    if (this.#stream === stream) this.#stream = null;
    stream.removeAllListeners('data');
    stream.destroy(error);
    this.#failAll(error);
  }

  /** What was refused before the connection was lost, as a demoted server refuses reads that wait, is told as that. */
  #failAll(error: Error): void {
    for (const { replies, fail } of this.#awaited.splice(0))
      fail(replies.find((reply) => reply instanceof ReplyError) ?? error);
  }
}
