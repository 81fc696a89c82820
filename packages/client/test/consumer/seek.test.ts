import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { at, failure, offsetsOf, test, values } from './consumer-fixture.ts';

describe('seek', () => {
  test('back repeats records, forward skips them, and the history says so', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 4));
    await stage.sendBatch(0, values('w', 4));
    const worker = await stage.worker();
    await stage.untilCommitted(0, 8);
    await worker.consumer.seek(at(0, 2));
    await worker.untilHandled(14);
    expect(offsetsOf(worker.delivered, 0).slice(8)).toEqual([2, 3, 4, 5, 6, 7]);
    await stage.untilCommitted(0, 8);

    worker.consumer.pause([at(0, 0)]);
    await stage.send(0, values('x', 3));
    await worker.consumer.seek(at(0, 10));
    expect(await stage.committed(0)).toBe(10);
    worker.consumer.resume([at(0, 0)]);
    await stage.untilCommitted(0, 11);
    expect(offsetsOf(worker.delivered, 0).slice(14)).toEqual([10]);

    const { memberId: member } = worker.consumer;
    expect((await stage.history('offset-sought')).map(({ fields }) => fields)).toEqual([
      { partition: 'orders/0', from: '8', to: '2', member },
      { partition: 'orders/0', from: '8', to: '10', member },
    ]);
  });

  test('to the end waits for the next record', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 3));
    const worker = await stage.worker({}, () => {});
    await stage.untilCommitted(0, 3);
    await worker.consumer.seek(at(0, 0));
    await worker.consumer.seek(at(0, 3));
    const before = worker.delivered.length;
    await stage.send(0, ['next']);
    await stage.untilCommitted(0, 4);
    expect(worker.delivered.slice(before).map(({ value }) => value)).toEqual(['next']);
  });

  test('refuses what the log does not hold and what is not owned, and goes on', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 3));
    const worker = await stage.worker();
    await stage.untilCommitted(0, 3);
    const seek = (offset: number, partition = 0): Promise<Error> =>
      failure(worker.consumer.seek(at(partition, offset)));
    expect(await seek(4)).toMatchObject({
      name: 'ConfigError',
      code: 'INVALID_OPTION',
      message: 'seek: orders/0 holds 0 to 3, offset 4 is outside',
    });
    for (const offset of [-1, 1.5, NaN]) {
      expect(await seek(offset)).toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(`got ${offset}`),
      });
    }
    expect(await seek(0, 9)).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('orders/9 is not owned'),
    });
    await stage.send(0, ['next']);
    await stage.untilCommitted(0, 4);
    expect(offsetsOf(worker.delivered, 0)).toEqual([0, 1, 2, 3]);
    expect(await stage.history('offset-sought')).toEqual([]);
  });

  test('inside a handler takes effect at once, and the record under way does not count', async ({
    stage,
  }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 5));
    const member = await stage.member();
    let isSought = false;
    await member.work(async ({ record }) => {
      if (record.offset !== 2 || isSought) return;
      isSought = true;
      await member.consumer.seek(at(0, 1));
    });
    await stage.untilCommitted(0, 5);
    expect(offsetsOf(member.delivered, 0)).toEqual([0, 1, 2, 1, 2, 3, 4]);
  });

  test('forward inside a handler skips what was fetched', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 6));
    const member = await stage.member({ commitMode: 'at-most-once' });
    await member.work(({ record }) => (record.offset === 1 ? member.consumer.seek(at(0, 4)) : undefined));
    await stage.untilCommitted(0, 6);
    await eventually(() => member.handled.length === 4);
    expect(offsetsOf(member.delivered, 0)).toEqual([0, 1, 4, 5]);
  });

  test('in any order while records flow ends where the last one said', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.sendBatch(0, values('v', 50));
    const worker = await stage.worker();
    await worker.untilHandled(10);
    await Promise.all([10, 30, 5, 45].map((offset) => worker.consumer.seek(at(0, offset))));
    await eventually(() => worker.handled.at(-1)?.offset === 49);
    await stage.untilCommitted(0, 50);
    // Whatever was delivered in between: from the last jump on, every record to the end.
    const offsets = offsetsOf(worker.delivered, 0);
    expect(offsets.slice(-5)).toEqual([45, 46, 47, 48, 49]);
    expect((await stage.history('offset-sought')).map(({ fields }) => fields['to'])).toEqual([
      '10',
      '30',
      '5',
      '45',
    ]);
  });
});
