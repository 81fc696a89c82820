/**
 * A TCP proxy that stands for the network between a client and Redis, and breaks it on demand: per connection or for all,
 * while it runs. It belongs to the process that started it and does not keep that process alive.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { findFreePort } from '../redis/free-port.ts';
import { ProxiedConnection } from './proxied-connection.ts';
import type { Endpoint, ReplyVerdict } from './proxied-connection.ts';
import type { ProxiedCommand } from './proxied-command.ts';
import type {
  AppliedFault,
  DroppedReplies,
  DropReplyRule,
  ProxyConnection,
  ProxyCounts,
  ProxyLink,
  ProxyMode,
  ProxySelection,
} from './proxy-fault.ts';

export interface StartFaultProxyOptions {
  /** Where connections go. A function is asked for every connection. */
  readonly target: Endpoint | (() => Endpoint);
  /** Fixed port on loopback. Default: a free one. */
  readonly port?: number;
  /** Tells who connects, by the address that the connection comes from. Default: everybody is a client. */
  readonly identify?: (address: string) => { readonly link: ProxyLink; readonly peer: string } | undefined;
}

export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly counts: ProxyCounts;
  readonly connections: readonly ProxyConnection[];
  /** Begins a fault; without a selection it concerns all clients, those that are yet to come too. */
  apply(mode: ProxyMode, selection?: ProxySelection): AppliedFault;
  /** Resets the connections that there are now; new ones are not concerned. Gives their number. */
  reset(selection?: ProxySelection): number;
  /**
   * Lets commands through and swallows their replies: the client does not learn what the server has done. Connections
   * that subscribe or monitor are not concerned: there, replies do not answer commands one for one.
   */
  dropReplies(rule?: DropReplyRule): DroppedReplies;
  /** Ends every fault. */
  healAll(): void;
  /** Stops listening and ends all connections. Safe to call twice. */
  stop(): Promise<void>;
}

interface ActiveFault {
  readonly mode: ProxyMode;
  readonly selection: ProxySelection;
}

interface ActiveRule {
  readonly rule: DropReplyRule;
  left: number;
  dropped: number;
}

const host = '127.0.0.1';
const portAttempts = 5;
const pass: ProxyMode = { kind: 'pass' };
const clients: readonly ProxyLink[] = ['client'];

/** Rejects when the port is taken. */
export async function startFaultProxy(options: StartFaultProxyOptions): Promise<FaultProxy> {
  const { target } = options;
  const open = new Set<ProxiedConnection>();
  const faults: ActiveFault[] = [];
  const rules: ActiveRule[] = [];
  let accepted = 0;
  let reset = 0;
  let repliesDropped = 0;

  const modeOf = (connection: ProxyConnection): ProxyMode =>
    faults.findLast(({ selection }) => concerns(selection, connection))?.mode ?? pass;
  const refresh = (): void => {
    for (const connection of open) connection.apply(modeOf(connection));
  };
  const judge = (command: ProxiedCommand, connection: ProxyConnection): ReplyVerdict => {
    const match = rules.find(
      ({ rule, left }) => left > 0 && concerns(rule, connection) && (rule.matching?.(command) ?? true),
    );
    if (match === undefined) return 'pass';
    match.left -= 1;
    const finish = (): void => {
      match.dropped += 1;
      repliesDropped += 1;
    };
    return { outcome: match.rule.outcome ?? 'reset', finish };
  };

  const accept = (socket: Socket): void => {
    accepted += 1;
    const peer = options.identify?.(socket.remoteAddress ?? '');
    const connection: ProxiedConnection = new ProxiedConnection(socket, {
      id: accepted,
      link: peer?.link ?? 'client',
      peer: peer?.peer,
      target: typeof target === 'function' ? target() : target,
      judge,
      onNamed: (named) => named.apply(modeOf(named)),
      onReset: () => (reset += 1),
      onClose: () => open.delete(connection),
    });
    open.add(connection);
    connection.apply(modeOf(connection));
  };
  const server = createServer({ allowHalfOpen: true }, accept);
  const port = await listen(server, options.port);
  server.unref();

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const connection of open) connection.destroy();
    }));

  return {
    host,
    port,
    get counts() {
      return { open: open.size, accepted, reset, repliesDropped };
    },
    get connections() {
      return [...open];
    },
    apply(mode, selection = {}) {
      const fault: ActiveFault = { mode, selection };
      faults.push(fault);
      refresh();
      return appliedFault(() => {
        remove(faults, fault);
        refresh();
      });
    },
    reset(selection = {}) {
      const chosen = [...open].filter((connection) => concerns(selection, connection));
      for (const connection of chosen) connection.reset();
      return chosen.length;
    },
    dropReplies(rule = {}) {
      const active: ActiveRule = { rule, left: rule.count ?? 1, dropped: 0 };
      rules.push(active);
      return Object.defineProperty(
        appliedFault(() => {
          active.left = 0;
          remove(rules, active);
        }),
        'dropped',
        { get: () => active.dropped, enumerable: true },
      ) as DroppedReplies;
    },
    healAll() {
      faults.length = 0;
      for (const active of rules) active.left = 0;
      rules.length = 0;
      refresh();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function concerns({ links = clients, select }: ProxySelection, connection: ProxyConnection): boolean {
  return links.includes(connection.link) && (select?.(connection) ?? true);
}

function appliedFault(end: () => void): AppliedFault {
  return { heal: end, [Symbol.dispose]: end };
}

function remove<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}

async function listen(
  server: ReturnType<typeof createServer>,
  fixedPort: number | undefined,
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = fixedPort ?? (await findFreePort());
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      if (fixedPort !== undefined || attempt === portAttempts) throw error;
      server.removeAllListeners('error');
    }
  }
}
