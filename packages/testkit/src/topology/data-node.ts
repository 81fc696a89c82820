/** Starts the servers that hold data, the same way for every topology. */
import { quoteDirective, renderRedisConfig } from '../redis/redis-config.ts';
import { loopback } from '../redis/server-process.ts';
import { startNode } from './redis-node.ts';
import type { NodePlace, RedisRole, SourceAddresses, StartedNode } from './redis-node.ts';
import type { TopologyOptions } from './topology.ts';

export interface DataNodeSettings {
  readonly name: string;
  readonly startedAs: RedisRole;
  readonly binary: string;
  readonly options: TopologyOptions;
  readonly sources: SourceAddresses | undefined;
  /** The topology's own lines for this server. */
  readonly directives: (place: NodePlace) => Record<string, string> | Promise<Record<string, string>>;
}

export function startDataNode(settings: DataNodeSettings): Promise<StartedNode> {
  const { name, startedAs, binary, options, sources } = settings;
  const password = options.requirepass;
  const clock = typeof options.clock === 'function' ? options.clock(name) : options.clock;
  return startNode({
    name,
    startedAs,
    binary,
    sources,
    ...(password === undefined ? {} : { password }),
    ...(clock === undefined ? {} : { env: clock.env }),
    ...(options.startTimeoutMs === undefined ? {} : { startTimeoutMs: options.startTimeoutMs }),
    config: async (place) => {
      const { sourceAddress } = place;
      return renderRedisConfig(place, {
        ...(password === undefined ? {} : { requirepass: password }),
        directives: {
          // The first replica of a small test must not wait five seconds for others to join its synchronisation.
          'repl-diskless-sync-delay': '0',
          ...(password === undefined ? {} : { masterauth: quoteDirective(password) }),
          ...(sourceAddress === undefined ? {} : { 'bind-source-addr': sourceAddress }),
          ...(await settings.directives(place)),
          ...options.directives,
        },
      });
    },
  });
}

/** The lines by which a replica, or a primary that becomes one, names itself to others. */
export function replicaAnnouncement({ announcedPort }: NodePlace): Record<string, string> {
  return { 'replica-announce-ip': loopback, 'replica-announce-port': String(announcedPort) };
}
