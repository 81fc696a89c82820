/** One Sentinel: the same binary, another configuration, which it rewrites itself as it learns. */
import { quoteDirective } from '../redis/redis-config.ts';
import { loopback } from '../redis/server-process.ts';
import { startNode } from './redis-node.ts';
import type { NodePlace, SourceAddresses, StartedNode } from './redis-node.ts';
import type { TopologyOptions } from './topology.ts';

export interface SentinelSettings {
  readonly name: string;
  readonly quorum: number;
  readonly downAfterMs: number;
  readonly failoverTimeoutMs: number;
  readonly periods: 'short' | 'standard';
  readonly password: string | undefined;
  readonly sentinelPassword: string | undefined;
}

/**
 * PING, too: once a second (Redis' own), one late answer is silence for `downAfterMs: 1_000`, and a server that Sentinel has
 * only just come to know is down before it was asked. Seen as failovers that nobody had ordered.
 */
const shortPeriods = [
  ['INFO-PERIOD', '500'],
  ['PING-PERIOD', '200'],
  ['PUBLISH-PERIOD', '250'],
  ['ASK-PERIOD', '250'],
].flat();

export async function startSentinelNode(
  nodeName: string,
  primaryPort: number,
  settings: SentinelSettings,
  started: {
    readonly binary: string;
    readonly options: TopologyOptions;
    readonly sources: SourceAddresses | undefined;
  },
): Promise<StartedNode> {
  const { binary, options, sources } = started;
  return startNode({
    name: nodeName,
    startedAs: 'sentinel',
    binary,
    args: ['--sentinel'],
    sources,
    ...(settings.sentinelPassword === undefined ? {} : { password: settings.sentinelPassword }),
    ...(options.startTimeoutMs === undefined ? {} : { startTimeoutMs: options.startTimeoutMs }),
    config: (place) => renderSentinelConfig(place, primaryPort, settings),
    // After every start: Sentinel writes down what it has learned, but not its periods.
    whenStarted: async (sentinel) => {
      if (settings.periods === 'short') await sentinel.admin.call('SENTINEL', 'DEBUG', ...shortPeriods);
    },
  });
}

function renderSentinelConfig(
  { folder, port, announcedPort, sourceAddress }: NodePlace,
  primaryPort: number,
  { name, quorum, downAfterMs, failoverTimeoutMs, password, sentinelPassword }: SentinelSettings,
): string {
  const lines = [
    `bind ${loopback}`,
    `port ${port}`,
    'daemonize no',
    `dir ${quoteDirective(folder)}`,
    `logfile ${quoteDirective(`${folder}/redis.log`)}`,
    `sentinel announce-ip ${loopback}`,
    `sentinel announce-port ${announcedPort}`,
    `sentinel monitor ${name} ${loopback} ${primaryPort} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} ${failoverTimeoutMs}`,
    // All replicas follow the new primary at once: a test waits for the last of them.
    `sentinel parallel-syncs ${name} 10`,
  ];
  if (sourceAddress !== undefined) lines.push(`bind-source-addr ${sourceAddress}`);
  if (password !== undefined) lines.push(`sentinel auth-pass ${name} ${quoteDirective(password)}`);
  if (sentinelPassword !== undefined) {
    lines.push(`requirepass ${quoteDirective(sentinelPassword)}`);
    lines.push(`sentinel sentinel-pass ${quoteDirective(sentinelPassword)}`);
  }
  return `${lines.join('\n')}\n`;
}
