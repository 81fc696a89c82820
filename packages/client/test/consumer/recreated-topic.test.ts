import { eventually } from '@millrace/testkit';
import { describe, expect } from 'vitest';
import { test } from './consumer-fixture.ts';

describe('a topic that is deleted and created again at once', () => {
  test('is read from its beginning', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(
      0,
      Array.from({ length: 50 }, (_, i) => `old${i}`),
    );
    const worker = await stage.worker();
    await stage.untilCommitted(0, 50);
    await stage.millrace.admin.deleteTopic('orders');
    await stage.createTopic(1);
    const before = worker.handled.length;
    const again = (await stage.client()).producer();
    await again.send('orders', { partition: 0, value: 'new0' });
    await worker.untilHandled(before + 1);
  });

  // Found by the simulation: only the leader that had seen the old topic could tell that the new one is another, and its
  // successor took them for one. The owner went on waiting at an offset that the new log had yet to reach.
  test('is read from its beginning when the leader leaves before it has noticed', async ({ stage }) => {
    await stage.createTopic(2);
    const workers = [await stage.worker(), await stage.worker()];
    await eventually(() => workers.every(({ owned }) => owned.length === 1));
    const old = Array.from({ length: 20 }, (_, i) => `old${i}`);
    for (const partition of [0, 1]) await stage.sendBatch(partition, old);
    for (const partition of [0, 1]) await stage.untilCommitted(partition, 20);
    const leader = workers.find(({ consumer }) => consumer.isLeader)!;
    const heir = workers.find((worker) => worker !== leader)!;
    const before = heir.handled.length;

    await stage.millrace.admin.deleteTopic('orders');
    await stage.createTopic(2);
    await leader.consumer.close();
    const producer = (await stage.client()).producer();
    for (const partition of [0, 1]) await producer.send('orders', { partition, value: `new${partition}` });
    await heir.untilHandled(before + 2);
    const values = heir.handled.slice(before).map(({ value }) => value);
    expect(new Set(values)).toEqual(new Set(['new0', 'new1']));
  });
});
