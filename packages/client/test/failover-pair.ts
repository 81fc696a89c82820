/**
 * Two servers behind one address, and a failover between them that loses what a test wants to lose: the second one is a
 * replica until its link is cut, and takes over with what it had received by then.
 */
import { closeConnection, openConnection, type RedisConnection } from '@millrace/redis';
import { startFaultProxy, startRedis, type FaultProxy } from '@millrace/testkit';
import { test as base } from 'vitest';

export interface FailoverPair extends AsyncDisposable {
  /** Leads to the primary, and after `failOver` to the other one. */
  readonly url: string;
  readonly proxy: FaultProxy;
  /** Past the proxy. */
  readonly firstUrl: string;
  readonly secondUrl: string;
  /** What is written to the first server from now on never reaches the second one, which can be written to as well. */
  cutLink(): Promise<void>;
  /** New connections lead to the second server. Those that are open stay where they are until they are reset. */
  retarget(): void;
  /** `retarget`, for all connections. */
  failOver(): void;
}

export async function startFailoverPair(): Promise<FailoverPair> {
  const stack = new AsyncDisposableStack();
  const directives = { 'repl-diskless-sync-delay': '0' };
  const first = stack.use(await startRedis({ directives }));
  const second = stack.use(await startRedis({ directives }));
  const open = async (url: string): Promise<RedisConnection> => {
    const redis = await openConnection({ url, connectTimeoutMs: 5_000 }, 'command', 'pair');
    stack.defer(() => closeConnection(redis));
    return redis;
  };
  const [primary, replica] = [await open(first.url), await open(second.url)];
  await replica.replicaof(first.host, first.port);
  let target = first;
  const proxy = stack.use(await startFaultProxy({ target: () => target }));
  const pair: FailoverPair = {
    url: `redis://${proxy.host}:${proxy.port}`,
    proxy,
    firstUrl: first.url,
    secondUrl: second.url,
    async cutLink() {
      // A write, so that WAIT has something to wait for.
      await primary.set('pair', '1');
      await primary.del('pair');
      const received = Number(await primary.call('WAIT', '1', '10000'));
      if (received !== 1) throw new Error('the replica did not keep up');
      await replica.call('REPLICAOF', 'NO', 'ONE');
    },
    retarget() {
      target = second;
    },
    failOver() {
      target = second;
      proxy.reset();
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  return pair;
}

/** `pair`: one for each test. */
export const test = base.extend<{ pair: FailoverPair }>({
  // oxlint-disable-next-line no-empty-pattern -- how vitest names a fixture that needs no other
  pair: async ({}, use) => {
    await using pair = await startFailoverPair();
    await use(pair);
  },
});
