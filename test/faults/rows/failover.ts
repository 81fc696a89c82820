/** A replica becomes the primary, with what it has. */
import { eventually, killWithLoss, type RedisNode } from '@millrace/testkit';
import { REPLICATED, type Fault } from '../fault.ts';
import type { Stage } from '../world/stage.ts';
import { DETECTION_MS, LOSES_TAIL, READER_MS } from './bounds.ts';

const FAILOVER_TIMEOUT_MS = 30_000;
const CUT_MS = 3_000;

export const failOver: Fault = {
  name: 'failover',
  what: 'the primary freezes (SIGSTOP) until a replica has taken its place, then goes on',
  kind: 'server',
  topologies: REPLICATED,
  losses: LOSES_TAIL('replicated'),
  resumeBoundMs: READER_MS + DETECTION_MS,
  redelivery: 'window',
  async run(stage) {
    const { primary, replicas } = await pairOf(stage);
    await stage.inject(primary.name, async () => {
      try {
        await primary.freeze();
        await untilPromoted(replicas);
      } finally {
        await primary.resume();
      }
      await stage.servers.settle();
    });
  },
};

export const failOverWithLoss: Fault = {
  name: 'failover-with-loss',
  what: 'the primary is cut off from its replicas for three seconds, goes on acknowledging, and dies',
  kind: 'server',
  topologies: REPLICATED,
  losses: LOSES_TAIL('replicated'),
  resumeBoundMs: READER_MS + DETECTION_MS,
  redelivery: 'window',
  async run(stage) {
    const { primary, replicas } = await pairOf(stage);
    await stage.inject(primary.name, async () => {
      await killWithLoss(primary, () => stage.load(CUT_MS));
      try {
        await untilPromoted(replicas);
      } finally {
        await primary.restart();
      }
      await stage.servers.settle();
    });
  },
};

async function pairOf(stage: Stage): Promise<{ primary: RedisNode; replicas: readonly RedisNode[] }> {
  const key = stage.anyLogKey();
  return { primary: await stage.servers.primaryOf(key), replicas: await stage.servers.replicasOf(key) };
}

async function untilPromoted(replicas: readonly RedisNode[]): Promise<void> {
  await eventually(
    async () => {
      const roles = await Promise.all(replicas.map((replica) => replica.role()));
      return roles.includes('primary');
    },
    { timeoutMs: FAILOVER_TIMEOUT_MS, intervalMs: 50, what: 'a replica in the place of the primary' },
  );
}
