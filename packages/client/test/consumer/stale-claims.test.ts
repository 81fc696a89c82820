/** Claims in the group's slot that their member does not use: nobody may have to wait for them. */
import { eventually } from '@millrace/testkit';
import { describe } from 'vitest';
import { test as failoverTest } from '../failover-pair.ts';
import { Stage, test } from './consumer-fixture.ts';

const leaseMs = 3_000;

describe('claims that nobody uses', () => {
  test('a static member that comes back to fewer partitions gives the others up', async ({ stage }) => {
    await stage.createTopic(2);
    const first = await stage.worker({ instanceId: 'pod-0', leaseMs });
    await first.untilOwns(0, 1);
    await first.close();
    // While it is away a partition of its two is assigned to another, who finds it claimed by a member of the group.
    const other = await stage.worker({ instanceId: 'pod-1', leaseMs });
    await eventually(async () => (await stage.history('assigned')).length >= 2);
    const returned = await stage.worker({ instanceId: 'pod-0', leaseMs });
    // Long before a leader would force the hand-over, which waits for drainTimeoutMs and a lease.
    await eventually(() => returned.owned.length === 1 && other.owned.length === 1);
  }, 30_000);

  failoverTest('a claim that was given back, and that a failover brought back', async ({ pair }) => {
    const stage = await Stage.open({ url: pair.url, prefix: 'pair' });
    await stage.createTopic(2);
    for (const partition of [0, 1]) await stage.send(partition, ['first']);
    const gate = Promise.withResolvers<void>();
    const giver = await stage.worker({}, () => gate.promise);
    await giver.untilDelivered(2);
    const taker = await stage.worker();
    await eventually(async () => (await stage.history('assigned')).length >= 2);
    // What follows never reaches the other server: the claim is given back, its heir takes it.
    await pair.cutLink();
    gate.resolve();
    await eventually(() => giver.owned.length === 1 && taker.owned.length === 1);
    pair.failOver();
    // The group's slot says again that the giver has both. Long before a leader would force the hand-over.
    await eventually(() => giver.told.lost.length > 0 && taker.told.lost.length > 0);
    await eventually(() => giver.owned.length === 1 && taker.owned.length === 1);
    await stage.close();
  });
});
