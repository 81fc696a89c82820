/**
 * One server of a topology and what a test does to it: signals, restarts, commands past every proxy. Made by the starters;
 * the part that a server plays may change under a failover, so `startedAs` is history and `role()` asks.
 */
import { Redis } from 'ioredis';
import { startFaultProxy } from '../proxy/fault-proxy.ts';
import type { FaultProxy } from '../proxy/fault-proxy.ts';
import type { ProxyLink } from '../proxy/proxy-fault.ts';
import { redisUrl } from '../redis/redis-server.ts';
import { loopback, startServerProcess } from '../redis/server-process.ts';
import type { ServerPlace, ServerProcess, ServerProcessSettings } from '../redis/server-process.ts';

export type RedisRole = 'primary' | 'replica' | 'sentinel';

export interface RedisNode {
  /** Unique in its topology: `primary`, `replica-1`, `sentinel-2`, `node-3`. */
  readonly name: string;
  readonly startedAs: RedisRole;
  readonly host: string;
  /** The server's own port; with a proxy, clients are told `announcedPort`. */
  readonly port: number;
  readonly announcedPort: number;
  /** Past the proxy, with the password when one is set: do not print it. */
  readonly url: string;
  /** Changes with `restart`. */
  readonly pid: number;
  /** Its data, configuration (`redis.conf`) and log (`redis.log`). */
  readonly folder: string;
  /** Between clients (and replicas, and Sentinels) and this server; only with the option `proxied`. */
  readonly proxy: FaultProxy | undefined;
  /** False when it has ended, and while it is frozen. */
  isRunning(): boolean;
  /** A connection past the proxy, made on first use, remade after a restart, closed with the topology. */
  readonly admin: Redis;
  /** What it is now. Rejects when it does not answer. */
  role(): Promise<RedisRole>;
  /** SIGKILL: a crash of the process. Resolves when it has ended. */
  kill(): Promise<void>;
  /** SIGSTOP: it holds its connections and answers nothing. */
  freeze(): Promise<void>;
  /** SIGCONT. */
  resume(): Promise<void>;
  /** Any other signal. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Ends it, if it runs, and starts it on the same port and data: also after `kill`. Resolves when it has loaded. */
  restart(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

export interface NodePlace extends ServerPlace {
  readonly announcedPort: number;
  /** Where the connections that this server makes come from; undefined without proxies. */
  readonly sourceAddress: string | undefined;
}

export interface NodeSettings extends Omit<ServerProcessSettings, 'config' | 'port'> {
  readonly name: string;
  readonly startedAs: RedisRole;
  readonly config: (place: NodePlace) => string | Promise<string>;
  /** Called after the start and after every restart. */
  readonly whenStarted?: (node: RedisNode) => Promise<void>;
  /** Undefined: without a proxy. */
  readonly sources: SourceAddresses | undefined;
}

/** A `RedisNode` as its starter holds it. */
export interface StartedNode extends RedisNode {
  stop(): Promise<void>;
}

/**
 * Gives each server of a topology an address of loopback for the connections that it makes, so that a proxy knows a
 * replica from a client without reading what it sends. Linux answers on all of 127/8; macOS does not.
 */
export class SourceAddresses {
  readonly #peers = new Map<string, { readonly link: ProxyLink; readonly peer: string }>();

  assign(name: string, link: ProxyLink): string {
    const address = `127.0.1.${this.#peers.size + 1}`;
    this.#peers.set(address, { link, peer: name });
    return address;
  }

  identify(address: string): { readonly link: ProxyLink; readonly peer: string } | undefined {
    return this.#peers.get(address);
  }
}

export async function startNode(settings: NodeSettings): Promise<StartedNode> {
  const { name, startedAs, sources, password, config, whenStarted, ...processSettings } = settings;
  const sourceAddress = sources?.assign(name, startedAs === 'sentinel' ? 'sentinel' : 'replica');
  let ownPort = 0; // known only when the process is started, which must be told the proxy's port
  const proxy =
    sources &&
    (await startFaultProxy({
      target: () => ({ host: loopback, port: ownPort }),
      identify: (address) => sources.identify(address),
    }));
  let server: ServerProcess;
  try {
    server = await startServerProcess({
      ...processSettings,
      ...(password === undefined ? {} : { password }),
      config: (place) => {
        ownPort = place.port;
        return config({ ...place, announcedPort: proxy?.port ?? place.port, sourceAddress });
      },
    });
  } catch (error) {
    await proxy?.stop();
    throw error;
  }
  const url = redisUrl(loopback, server.port, password);
  let admin: Redis | undefined;
  let isFrozen = false;
  const signal = async (signalName: NodeJS.Signals): Promise<void> => {
    await server.signal(signalName);
    if (signalName === 'SIGSTOP' || signalName === 'SIGCONT') isFrozen = signalName === 'SIGSTOP';
  };
  const node: StartedNode = {
    name,
    startedAs,
    host: loopback,
    port: server.port,
    announcedPort: proxy?.port ?? server.port,
    url,
    folder: server.folder,
    proxy,
    get pid() {
      return server.pid;
    },
    get admin() {
      if (admin === undefined || admin.status === 'end') admin = openAdmin(url, name, startedAs);
      return admin;
    },
    isRunning: () => !server.hasEnded() && !isFrozen,
    async role() {
      const [role] = (await node.admin.role()) as [string];
      return role === 'master' ? 'primary' : role === 'sentinel' ? 'sentinel' : 'replica';
    },
    kill: () => signal('SIGKILL'),
    freeze: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    signal,
    async restart(signalName) {
      await server.restart(signalName);
      isFrozen = false;
      await whenStarted?.(node);
    },
    async stop() {
      admin?.disconnect();
      await server.stop();
      await proxy?.stop();
    },
  };
  try {
    await whenStarted?.(node);
  } catch (error) {
    await node.stop();
    throw error;
  }
  return node;
}

/** Fails when nobody listens, and waits for a server that is slow: one that flushes every write to a shared disk. */
function openAdmin(url: string, name: string, role: RedisRole): Redis {
  const admin = new Redis(url, {
    connectionName: `testkit-${name}`,
    connectTimeout: 2_000,
    commandTimeout: 15_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
    // A Sentinel has no INFO that says "loading".
    enableReadyCheck: role !== 'sentinel',
  });
  admin.on('error', () => {}); // the commands say it
  // A test process must be able to end without stopping its servers.
  admin.on('connect', () => admin.stream.unref());
  return admin;
}
