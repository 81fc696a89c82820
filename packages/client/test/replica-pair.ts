/** A primary with one replica, and a failover by hand at the moment, and with the loss, that a test wants. */
import { closeConnection, openConnection, parseRedisUrl, type RedisConnection } from '@millrace/redis';
import { eventually, startRedis } from '@millrace/testkit';

export interface ReplicaPair extends AsyncDisposable {
  /** Leads to the primary, also after `failOver`. */
  readonly url: string;
  readonly primary: RedisConnection;
  readonly replica: RedisConnection;
  /** Resolves when the replica has confirmed all that the primary wrote. */
  untilInStep(): Promise<void>;
  /** From now on nothing reaches the replica, which keeps what it has. */
  cutLink(): Promise<void>;
  /** Resolves when the replica is linked again. */
  mendLink(): Promise<void>;
  /** The replica keeps its link and receives nothing, until `thaw`. */
  freezeReplica(): Promise<void>;
  thawReplica(): Promise<void>;
  /** Kills the primary; the replica takes its place and its port. */
  failOver(): Promise<void>;
}

/** Nobody listens there. */
const NOWHERE = 1;

export async function startReplicaPair(): Promise<ReplicaPair> {
  await using stack = new AsyncDisposableStack();
  // Pings among servers would move the replication offset in between.
  const directives = { 'repl-diskless-sync-delay': '0', 'repl-ping-replica-period': '3600' };
  const primaryServer = stack.use(await startRedis({ directives }));
  const replicaServer = stack.use(
    await startRedis({ directives: { ...directives, replicaof: `127.0.0.1 ${primaryServer.port}` } }),
  );
  const [primary, replica] = await Promise.all(
    [primaryServer, replicaServer].map(async ({ url }) => {
      const { port } = parseRedisUrl(url);
      const connection = await openConnection({ url, connectTimeoutMs: 5_000 }, 'command', `pair-${port}`);
      stack.defer(() => closeConnection(connection));
      return connection;
    }),
  );
  if (primary === undefined || replica === undefined) throw new Error('two servers were started');
  const untilLinked = async (): Promise<void> => {
    const isLinked = async () => (await primary.info('replication')).includes('state=online');
    await eventually(isLinked, { what: 'a replica that is linked' });
  };
  await untilLinked();
  const owned = stack.move();
  return {
    url: primaryServer.url,
    primary,
    replica,
    async untilInStep() {
      const isInStep = async () => {
        const info = await primary.info('replication');
        const confirmed = /^slave0:.*\bstate=online,offset=(\d+)/m.exec(info)?.[1];
        return confirmed !== undefined && confirmed === /^master_repl_offset:(\d+)/m.exec(info)?.[1];
      };
      await eventually(isInStep, { what: 'a replica that has confirmed everything' });
    },
    async cutLink() {
      await replica.replicaof('127.0.0.1', NOWHERE);
    },
    async mendLink() {
      await replica.replicaof('127.0.0.1', primaryServer.port);
      await untilLinked();
    },
    freezeReplica: () => replicaServer.signal('SIGSTOP'),
    thawReplica: () => replicaServer.signal('SIGCONT'),
    async failOver() {
      await primaryServer.stop();
      await replica.replicaof('NO', 'ONE');
      await replica.config('SET', 'port', primaryServer.port);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
