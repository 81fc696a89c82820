/** Claims in the group's slot that their member does not use: nobody may have to wait for them. */
import { eventually } from '@millrace/testkit';
import { describe } from 'vitest';
import { test } from './consumer-fixture.ts';

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
});
