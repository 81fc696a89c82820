/** A handler that commits by hand while its partition is being given up: it is what the drain waits for. */
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { at, test } from './consumer-fixture.ts';

describe('commit() while the partition is being given up', () => {
  for (const how of ['with offsets', 'without'] as const) {
    test(`commits what is processed, ${how}`, async ({ stage }) => {
      await stage.createTopic(1);
      await stage.sendBatch(0, ['a', 'b']);
      const closing = Promise.withResolvers<void>();
      const worker = await stage.worker({ autoCommit: false }, async ({ partition, record }) => {
        if (record.offset === 0) return;
        await closing.promise;
        await worker.consumer.commit(how === 'without' ? undefined : [at(partition, record.offset + 1)]);
      });
      await worker.untilDelivered(2);
      const closed = worker.consumer.close();
      await eventually(() => worker.owned.length === 0);
      closing.resolve();
      await closed;
      expect(worker.codes).toEqual([]);
      // Without offsets, the record that the handler is still at is not processed yet.
      expect(await stage.committed(0)).toBe(how === 'without' ? 1 : 2);
    });
  }
});
