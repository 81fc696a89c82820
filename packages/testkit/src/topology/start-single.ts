/** One Redis, with or without replicas, and nobody who would fail it over: in the shape of the larger topologies. */
import { eventually } from '../eventually.ts';
import { provideRedisBinary } from '../redis/provide-binary.ts';
import { redisUrl } from '../redis/redis-server.ts';
import { loopback } from '../redis/server-process.ts';
import { replicaAnnouncement, startDataNode } from './data-node.ts';
import { SourceAddresses } from './redis-node.ts';
import type { RedisNode } from './redis-node.ts';
import { assertReplicates, replicasOfPort } from './replication.ts';
import { orStopAll, startNodes, stopAll } from './start-nodes.ts';
import { defaultStartTimeoutMs } from './topology.ts';
import type { Topology, TopologyOptions } from './topology.ts';

export interface StartSingleOptions extends TopologyOptions {
  /** Default 0. */
  readonly replicas?: number;
}

export interface SingleConnection {
  readonly kind: 'single';
  readonly url: string;
}

export interface SingleTopology extends Topology<SingleConnection> {
  readonly kind: 'single';
  /** The server, for good: nobody promotes a replica here. */
  readonly primary: RedisNode;
}

/** @throws {NoRedisError} when there is no binary and none can be installed. */
export async function startSingle(options: StartSingleOptions = {}): Promise<SingleTopology> {
  const binary = options.binary ?? (await provideRedisBinary());
  const sources = options.proxied === true ? new SourceAddresses() : undefined;
  return orStopAll(async (started) => {
    const shared = { binary, options, sources };
    const primary = await startDataNode({
      ...shared,
      name: 'primary',
      startedAs: 'primary',
      directives: replicaAnnouncement,
    });
    started.push(primary);
    const replicas = await startNodes(
      Array.from({ length: options.replicas ?? 0 }, (_, index) => () => {
        return startDataNode({
          ...shared,
          name: `replica-${index + 1}`,
          startedAs: 'replica',
          directives: (place) => ({
            ...replicaAnnouncement(place),
            replicaof: `${loopback} ${primary.announcedPort}`,
          }),
        });
      }),
      started,
    );
    const settle: SingleTopology['settle'] = async ({ timeoutMs = 30_000 } = {}) => {
      const check = async (): Promise<void> => {
        for (const replica of replicas) if (replica.isRunning()) await assertReplicates(replica, primary);
      };
      await eventually(check, { timeoutMs, what: 'replication' });
    };
    await settle({ timeoutMs: options.startTimeoutMs ?? defaultStartTimeoutMs });

    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopping ??= stopAll(started));
    return {
      kind: 'single',
      connection: { kind: 'single', url: redisUrl(loopback, primary.announcedPort, options.requirepass) },
      primary,
      nodes: [primary, ...replicas],
      primaryOf: async () => primary,
      replicasOf: () => replicasOfPort(replicas, primary.announcedPort),
      settle,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  });
}
