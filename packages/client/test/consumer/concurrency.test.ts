/** What a bound on the partitions that are worked on at a time must not hold up. */
import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { test } from './consumer-fixture.ts';

describe('partitionsConsumedConcurrently', () => {
  test('a partition that waits for its turn is given up at once', async ({ stage }) => {
    await stage.createTopic(2);
    await stage.send(0, ['a']);
    await stage.send(1, ['a']);
    const hanging = Promise.withResolvers<void>();
    const first = await stage.worker({ partitionsConsumedConcurrently: 1 }, () => hanging.promise);
    await first.untilDelivered(1);
    const closed = first.close();
    const second = await stage.worker();
    await eventually(() => second.owned.length === 1);
    expect(second.owned).not.toContain(first.delivered[0]?.partition);
    hanging.resolve();
    await closed;
    await second.untilOwns(0, 1);
    expect(first.delivered).toHaveLength(1);
  });
});
