/** A member whose lease goes on and whose commands do not arrive: its lease has a connection of its own. */
import { eventually, startSingle } from '@millrace/testkit';
import { expect, test } from 'vitest';
import { Stage, values } from './consumer-fixture.ts';

test('whoever renews its lease and cannot commit makes way for others, and comes back', async () => {
  await using redis = await startSingle({ proxied: true });
  const stage = await Stage.open({ url: redis.connection.url, prefix: 'cut' });
  try {
    await stage.createTopic(2);
    const cutOff = await stage.worker({ leaseMs: 1_000 });
    await cutOff.untilOwns(0, 1);
    const heir = await stage.worker({ leaseMs: 1_000 });
    await eventually(() => cutOff.owned.length === 1 && heir.owned.length === 1);
    const [partition] = cutOff.owned as [number];

    const fault = redis.primary.proxy?.apply(
      { kind: 'reset' },
      { select: ({ clientName }) => clientName === 'cut:m0:command' },
    );
    await stage.send(partition, values('v', 3));
    // It has processed them, and says so to nobody.
    await eventually(() => cutOff.told.lost.length > 0, { timeoutMs: 15_000 });
    expect(cutOff.told.lost).toMatchObject([{ reason: 'cut-off', partitions: [{ partition }] }]);
    expect(
      cutOff.told.error.filter(({ message }) => message.includes('although the lease is renewed')),
    ).toMatchObject([{ code: 'REDIS_UNREACHABLE', retryable: true }]);
    await heir.untilOwns(0, 1);
    await stage.untilCommitted(partition, 3);

    fault?.heal();
    await eventually(() => cutOff.owned.length === 1 && heir.owned.length === 1, { timeoutMs: 15_000 });
    expect(cutOff.told.lost).toHaveLength(1);
  } finally {
    await stage.close();
  }
}, 40_000);
