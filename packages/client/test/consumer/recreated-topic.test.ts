import { describe } from 'vitest';
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
});
