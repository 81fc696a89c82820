/** What can be done to the connections of a fault proxy, as data. */
import type { ProxiedCommand } from './proxied-command.ts';

export type ProxyDirection = 'both' | 'toServer' | 'toClient';

export type ProxyMode =
  /** As if the proxy were not there; also exempts connections from a fault that was applied before. */
  | { readonly kind: 'pass' }
  /**
   * Nothing arrives and nothing is refused: the network drops every packet. What was sent arrives after the end of the
   * fault, late, unless `afterwards` is `reset`. Connections made meanwhile are silent; the server does not see them.
   */
  | {
      readonly kind: 'blackhole';
      /** Default `both`. */
      readonly direction?: ProxyDirection;
      /** Default `deliver`. */
      readonly afterwards?: 'deliver' | 'reset';
    }
  /** Everything arrives in order, `ms` later, in each of the directions. */
  | { readonly kind: 'delay'; readonly ms: number; readonly direction?: ProxyDirection }
  /** Present connections are reset (RST), new ones too as long as it lasts. */
  | { readonly kind: 'reset' }
  /**
   * One side believes the connection alive and the other has ended it, as after a crash of a host. `gone` is the side that
   * sees the end. The other side's bytes go nowhere; its connection is reset when the fault ends. Also new connections.
   */
  | { readonly kind: 'halfOpen'; readonly gone: 'client' | 'server' };

/** Who is at the other end of a connection, in a topology that was started with `proxied`. */
export type ProxyLink = 'client' | 'replica' | 'sentinel';

export interface ProxyConnection {
  /** Counts from 1 per proxy. */
  readonly id: number;
  readonly link: ProxyLink;
  /** The name of the server that made the connection; undefined for clients. */
  readonly peer: string | undefined;
  /** What the client calls itself (CLIENT SETNAME); undefined until it has said so. */
  readonly clientName: string | undefined;
  /** Commands that the client has sent. */
  readonly commands: number;
}

export interface ProxySelection {
  /** Which links it concerns. Default: `['client']`, so that replication and Sentinels go on. */
  readonly links?: readonly ProxyLink[];
  /** Which connections of these. Asked again for each new one, and when one says its name. Default: all. */
  readonly select?: (connection: ProxyConnection) => boolean;
}

export interface AppliedFault extends Disposable {
  /** Ends the fault. Where several concern one connection, the one that was applied last counts. Safe to call twice. */
  heal(): void;
}

export interface DropReplyRule extends ProxySelection {
  /** Which command's reply. Default: every command's. */
  readonly matching?: (command: ProxiedCommand) => boolean;
  /** How many replies. Default 1. */
  readonly count?: number;
  /**
   * What the client sees instead: `reset` (default) ends its connection once the server has answered, `silence` leaves it
   * without an answer for ever.
   */
  readonly outcome?: 'reset' | 'silence';
}

export interface DroppedReplies extends AppliedFault {
  /** How many replies were dropped so far: each the reply of a command that the server has executed. */
  readonly dropped: number;
}

export interface ProxyCounts {
  readonly open: number;
  readonly accepted: number;
  /** Connections that the proxy itself reset. */
  readonly reset: number;
  readonly repliesDropped: number;
}
