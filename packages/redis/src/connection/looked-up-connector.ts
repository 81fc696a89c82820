/**
 * How a plain ioredis connection finds a server that moves: before every attempt it asks where to connect. Unlike the
 * driver's own Sentinel connector it never rejects, because a rejection ends such a connection for ever: ioredis tries
 * again only after a socket that was closed. That connector also rejects when a `+switch-master` arrives while it asks,
 * and reconnects for the primaries of other names.
 */
import { createConnection, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import type { TlsConfig } from './connection-config.ts';
import { DISCONNECT_TIMEOUT_MS } from './connection-options.ts';
import type { LookUp } from './look-up.ts';

/** For the option `Connector` of ioredis. With `tls`, that option must be set as well. */
export function connectorFor(
  lookUp: LookUp,
  tls: TlsConfig | undefined,
): NonNullable<RedisOptions['Connector']> {
  return class LookedUpConnector extends AbstractConnector {
    #asking: AbortController | null = null;

    constructor() {
      super(DISCONNECT_TIMEOUT_MS);
    }

    /** What INFO says of the server: a replica is not what was looked for, and is left again. */
    override check(info: { readonly role?: string }): boolean {
      return info.role === undefined || info.role === 'master';
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      delete this.firstError;
      const asking = new AbortController();
      this.#asking = asking;
      try {
        const address = await lookUp(asking.signal);
        if (!this.connecting || asking.signal.aborted) return closedSocket();
        const socket = tls === undefined ? createConnection(address) : connectTls({ ...tls, ...address });
        socket.once('error', (error) => {
          this.firstError = error;
        });
        this.stream = socket;
        return socket;
      } catch (error) {
        this.firstError = error as Error;
        return closedSocket();
      }
    }

    override disconnect(): void {
      this.#asking?.abort();
      super.disconnect();
    }
  };
}

/** ioredis takes it for a connection that failed: it reports `firstError` and comes again. */
function closedSocket(): Socket {
  return new Socket().destroy();
}
