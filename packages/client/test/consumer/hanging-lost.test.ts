/** A claim whose lane is lost must not keep the next owner waiting, whatever the old handler does. */
import { closeConnection, createKeys, openConnection, RedisPartitionStore } from '@millrace/redis';
import { describe, expect } from 'vitest';
import { failure, GROUP, test, TOPIC } from './consumer-fixture.ts';

describe('a claim whose lane is lost', () => {
  test('is given up when its partition is assigned to another member', async ({ stage }) => {
    await stage.createTopic(2);
    await stage.send(0, ['0', '1']);
    await stage.send(1, ['0', '1']);
    const hanging = Promise.withResolvers<void>();
    const first = await stage.worker({ autoCommit: false }, ({ record }) =>
      record.offset === 0 ? undefined : hanging.promise,
    );
    try {
      await first.untilDelivered(4);

      // Both partitions are fenced, and the handler does not return: the member does not take them again.
      const redis = await openConnection(
        { url: stage.url, connectTimeoutMs: 10_000 },
        'command',
        `${stage.prefix}:thief`,
      );
      const partitions = new RedisPartitionStore(redis, createKeys(stage.prefix));
      for (const partition of [0, 1]) {
        const request = {
          topic: TOPIC,
          partition,
          group: GROUP,
          memberId: 'thief',
          nonce: `nonce-${partition}`,
        };
        const result = await partitions.acquire({ ...request, claim: 1_000, offsetReset: 'earliest' });
        expect(result.status).toBe('ACQUIRED');
      }
      await closeConnection(redis);
      await failure(first.consumer.commit());
      await first.untilOwns();

      // The handler still hangs. Without the release, the heir would wait for the audit: drainTimeoutMs + leaseMs.
      const second = await stage.worker();
      await second.untilHandled(2);
      expect(new Set(second.handled.map(({ partition }) => partition)).size).toBe(1);
    } finally {
      hanging.resolve();
    }
  });
});
