/** A crash that loses what was acknowledged last, for certain: the replicas miss it, because they are cut off before. */
import type { RedisNode } from '../topology/redis-node.ts';

/**
 * Cuts the links to the server's replicas, lets it take writes that they do not get for as long as `meanwhile` runs, and
 * kills it. Sentinel and Cluster then promote a replica without those writes, if the links were down for less than ten
 * times their time-out: after that no replica counts as fresh enough. Needs a topology with `proxied`.
 */
export async function killWithLoss(primary: RedisNode, meanwhile: () => Promise<void>): Promise<void> {
  if (primary.proxy === undefined)
    throw new Error(`cannot cut the replicas of ${primary.name}: start the topology with { proxied: true }`);
  // A reset and not a blackhole: what a blackhole holds back would reach the replicas when it ends.
  const cut = primary.proxy.apply({ kind: 'reset' }, { links: ['replica'] });
  try {
    await meanwhile();
    await primary.kill();
  } finally {
    cut.heal();
  }
}
