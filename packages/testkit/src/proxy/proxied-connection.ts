/** One connection through the proxy: two sockets, a pipe each way, and the count that tells which reply answers what. */
import { Socket } from 'node:net';
import { endsRequestReply, nameGivenBy, readCommand } from './proxied-command.ts';
import type { ProxiedCommand } from './proxied-command.ts';
import type { ProxyConnection, ProxyLink, ProxyMode } from './proxy-fault.ts';
import { ProxyPipe } from './proxy-pipe.ts';
import { resetSocket } from './reset-socket.ts';
import { RespScanner } from './resp-scanner.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What happens to the reply of a command: it passes, or `finish` is called when the server has given it. */
export type ReplyVerdict = 'pass' | { readonly outcome: 'reset' | 'silence'; readonly finish: () => void };

export interface ProxiedConnectionSettings {
  readonly id: number;
  readonly link: ProxyLink;
  readonly peer: string | undefined;
  readonly target: Endpoint;
  readonly judge: (command: ProxiedCommand, connection: ProxyConnection) => ReplyVerdict;
  readonly onNamed: (connection: ProxiedConnection) => void;
  readonly onReset: () => void;
  readonly onClose: () => void;
}

const nothing = Buffer.alloc(0);

export class ProxiedConnection implements ProxyConnection {
  readonly id: number;
  readonly link: ProxyLink;
  readonly peer: string | undefined;
  readonly #settings: ProxiedConnectionSettings;
  readonly #client: Socket;
  readonly #server = new Socket({ allowHalfOpen: true });
  readonly #toServer: ProxyPipe;
  readonly #toClient: ProxyPipe;
  readonly #commandScanner = new RespScanner('commands');
  readonly #replyScanner = new RespScanner('replies');
  /** Replies to be dropped, by the number of their command. */
  readonly #verdicts = new Map<number, Exclude<ReplyVerdict, 'pass'>>();
  #heldBack: Buffer = nothing;
  #clientName: string | undefined;
  #commands = 0;
  #replies = 0;
  /** Whether commands and replies can still be counted against each other. */
  #isFollowed = true;
  #hasDialled = false;
  #mode: ProxyMode = { kind: 'pass' };
  #openSides = 2;

  constructor(client: Socket, settings: ProxiedConnectionSettings) {
    this.id = settings.id;
    this.link = settings.link;
    this.peer = settings.peer;
    this.#settings = settings;
    this.#client = client;
    for (const socket of [client, this.#server]) {
      socket.setNoDelay(true);
      socket.unref();
      socket.on('error', () => {}); // 'close' follows and says so
      socket.on('close', () => this.#closeSide());
    }
    this.#toServer = new ProxyPipe(client, this.#server, (chunk) => this.#inspectCommands(chunk));
    this.#toClient = new ProxyPipe(this.#server, client, (chunk) => this.#inspectReplies(chunk));
  }

  get clientName(): string | undefined {
    return this.#clientName;
  }

  get commands(): number {
    return this.#commands;
  }

  /** Makes the connection behave so from now on; the first call also lets it begin. */
  apply(mode: ProxyMode): void {
    const previous = this.#mode;
    if (previous.kind === 'halfOpen') {
      if (mode.kind !== 'halfOpen') this.reset(); // nothing to go back to: one side is gone
      return;
    }
    if (previous !== mode && previous.kind === 'blackhole' && previous.afterwards === 'reset') {
      this.reset();
      return;
    }
    this.#mode = mode;
    switch (mode.kind) {
      case 'pass':
        this.#shape(false, false, 0, 0);
        return;
      case 'blackhole': {
        const { direction = 'both' } = mode;
        this.#shape(direction !== 'toClient', direction !== 'toServer', 0, 0);
        return;
      }
      case 'delay': {
        const { direction = 'both', ms } = mode;
        this.#shape(false, false, direction === 'toClient' ? 0 : ms, direction === 'toServer' ? 0 : ms);
        return;
      }
      case 'reset':
        this.reset();
        return;
      case 'halfOpen':
        this.#halfOpen(mode.gone);
        return;
      default:
        mode satisfies never;
    }
  }

  /** Ends both sides with RST. */
  reset(): void {
    if (this.#openSides === 0) return;
    this.#settings.onReset();
    this.destroy();
  }

  destroy(): void {
    this.#toServer.detach();
    this.#toClient.detach();
    resetSocket(this.#client);
    // A socket that never began to connect has nothing to reset.
    if (this.#hasDialled) resetSocket(this.#server);
    else this.#server.destroy();
  }

  #shape(isServerCut: boolean, isClientCut: boolean, toServerMs: number, toClientMs: number): void {
    if (!isServerCut) this.#dial();
    this.#toServer.apply({ isHeld: isServerCut, delayMs: toServerMs });
    this.#toClient.apply({ isHeld: isClientCut, delayMs: toClientMs });
  }

  #dial(): void {
    if (this.#hasDialled) return;
    this.#hasDialled = true;
    this.#server.connect(this.#settings.target);
  }

  #halfOpen(gone: 'client' | 'server'): void {
    if (gone === 'client') this.#dial(); // a new connection must reach the side that keeps it
    this.#toServer.detach();
    this.#toClient.detach();
    if (gone === 'client') resetSocket(this.#client);
    else if (this.#hasDialled) resetSocket(this.#server);
    else this.#server.destroy();
  }

  #closeSide(): void {
    this.#openSides -= 1;
    if (this.#openSides === 0) this.#settings.onClose();
    // The side that is left learns of it through its pipe, unless that is detached: then it is kept on purpose, or destroyed.
  }

  #inspectCommands(chunk: Buffer): Buffer {
    if (!this.#isFollowed) return chunk;
    try {
      for (const { words } of this.#commandScanner.feed(chunk)) this.#judge(readCommand(words));
    } catch {
      this.#isFollowed = false; // TLS, or no Redis: forwarded without looking
    }
    return chunk;
  }

  #judge(command: ProxiedCommand): void {
    if (!this.#isFollowed) return;
    if (endsRequestReply(command.name)) {
      this.#isFollowed = false;
      return;
    }
    const clientName = nameGivenBy(command);
    if (clientName !== undefined) {
      this.#clientName = clientName;
      this.#settings.onNamed(this);
    }
    const verdict = this.#settings.judge(command, this);
    if (verdict !== 'pass') this.#verdicts.set(this.#commands, verdict);
    this.#commands += 1;
  }

  #inspectReplies(read: Buffer): Buffer {
    if (!this.#isFollowed && this.#verdicts.size === 0) return read;
    const chunk = this.#heldBack.length === 0 ? read : Buffer.concat([this.#heldBack, read]);
    const earlier = this.#heldBack.length;
    this.#heldBack = nothing;
    try {
      let complete = 0;
      for (const { end, type } of this.#replyScanner.feed(read)) {
        const verdict = type === '>' ? undefined : this.#verdicts.get(this.#replies);
        if (verdict !== undefined) {
          this.#drop(verdict, chunk.subarray(0, complete));
          return nothing;
        }
        if (type !== '>') this.#replies += 1; // a push message answers nothing
        complete = earlier + end;
      }
      if (!this.#verdicts.has(this.#replies)) return chunk;
      // The head of a reply that will be dropped must not go out before its end has come.
      this.#heldBack = chunk.subarray(complete);
      return chunk.subarray(0, complete);
    } catch {
      this.#isFollowed = false;
      this.#verdicts.clear();
      return chunk;
    }
  }

  #drop(verdict: Exclude<ReplyVerdict, 'pass'>, before: Buffer): void {
    this.#verdicts.clear();
    this.#isFollowed = false;
    this.#client.write(before);
    verdict.finish();
    if (verdict.outcome === 'reset') {
      this.reset();
      return;
    }
    this.#toServer.detach();
    this.#toClient.detach();
  }
}
