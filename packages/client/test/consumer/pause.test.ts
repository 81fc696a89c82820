import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { at, offsetsOf, test, TOPIC, values } from './consumer-fixture.ts';

describe('pause', () => {
  test('stops a partition before its next record, others go on, resume continues there', async ({
    stage,
  }) => {
    await stage.createTopic(2);
    const worker = await stage.worker();
    await worker.untilOwns(0, 1);
    await stage.send(0, ['a']);
    await worker.untilHandled(1);
    worker.consumer.pause([at(0, 0)]);
    expect(worker.consumer.paused()).toEqual([{ topic: TOPIC, partition: 0 }]);
    await stage.send(0, ['b', 'c']);
    await stage.send(1, ['d', 'e']);
    await eventually(() => offsetsOf(worker.handled, 1).length === 2);
    expect(offsetsOf(worker.delivered, 0)).toEqual([0]);
    worker.consumer.resume([at(0, 0)]);
    expect(worker.consumer.paused()).toEqual([]);
    await eventually(() => offsetsOf(worker.handled, 0).length === 3);
    expect(offsetsOf(worker.handled, 0)).toEqual([0, 1, 2]);
  });

  test('inside a handler ends with the record under way; it gives the function that resumes', async ({
    stage,
  }) => {
    await stage.createTopic(2);
    await stage.sendBatch(0, values('v', 3));
    const resumes: (() => void)[] = [];
    const worker = await stage.worker({}, (delivery) => {
      if (delivery.partition === 0) resumes.push(delivery.pause());
    });
    for (const count of [1, 2, 3]) {
      await stage.untilCommitted(0, count);
      await stage.send(1, ['flows']);
      await eventually(() => offsetsOf(worker.handled, 1).length === count);
      expect(offsetsOf(worker.delivered, 0)).toHaveLength(count);
      resumes.at(-1)?.();
    }
    expect(worker.consumer.paused()).toEqual([]);
  });

  test('holds before the partition is owned, and across a rebalance', async ({ stage }) => {
    await stage.createTopic(2);
    const first = await stage.member();
    first.consumer.pause([at(0, 0), at(1, 0)]);
    await first.work();
    await first.untilOwns(0, 1);
    const second = await stage.worker();
    await eventually(() => second.owned.length === 1 && first.owned.length === 1);
    const [moved = NaN] = second.owned;
    const kept = 1 - moved;
    await stage.send(moved, ['a']);
    await second.untilHandled(1);
    await second.close();
    await first.untilOwns(0, 1);
    first.consumer.resume([at(kept, 0)]);
    await stage.send(moved, ['b']);
    await stage.send(kept, ['c']);
    await first.untilHandled(1);
    expect(first.delivered.map(({ partition }) => partition)).toEqual([kept]);
    expect(first.consumer.paused()).toEqual([{ topic: TOPIC, partition: moved }]);
    first.consumer.resume([at(moved, 0)]);
    await first.untilHandled(2);
    expect(first.delivered.at(-1)).toMatchObject({ partition: moved, offset: 1, value: 'b' });
  });

  test('does not keep a partition from being given up', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 3));
    const first = await stage.worker({}, (delivery) => void delivery.pause());
    await stage.untilCommitted(0, 1);
    await first.close();
    const heir = await stage.worker();
    await heir.untilHandled(2);
    expect(offsetsOf(heir.delivered, 0)).toEqual([1, 2]);
  });
});
