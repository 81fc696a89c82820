import { describe, expect } from 'vitest';
import { eventually } from '@millrace/testkit';
import { createKeys } from '@millrace/redis';
import { GROUP, offsetsOf, test, TOPIC, values } from './consumer-fixture.ts';

describe('a group without a committed offset', () => {
  test('begins at the first record by default', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 2));
    const worker = await stage.worker();
    await worker.untilHandled(2);
    expect(offsetsOf(worker.delivered, 0)).toEqual([0, 1]);
    expect(worker.codes).toEqual([]);
  });

  test('begins at the end with "latest", once', async ({ stage }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 2));
    const before = await stage.worker({ offsetReset: 'latest' });
    await before.untilOwns(0);
    await before.close();
    await stage.send(0, values('w', 2));
    // There is a committed offset now: nothing between two lives of the group is skipped.
    const after = await stage.worker({ offsetReset: 'latest' });
    await after.untilHandled(2);
    expect(offsetsOf(after.delivered, 0)).toEqual([2, 3]);
  });

  test('waits with "fail" and says what to do', async ({ stage }) => {
    await stage.createTopic(2);
    await stage.send(0, ['a']);
    const first = await stage.worker({ offsetReset: 'fail' });
    await eventually(() => first.codes.length === 2);
    expect(first.codes).toEqual(['NO_COMMITTED_OFFSET', 'NO_COMMITTED_OFFSET']);
    const error = first.told.error.find(({ details }) => details['partition'] === 0) ?? null;
    expect(error).toMatchObject({ name: 'ConfigError', details: { group: GROUP, logStart: 0, logEnd: 1 } });
    expect(error?.message).toContain('choose "earliest" or "latest"');
    expect(first.owned).toEqual([]);
    await first.close();
    const second = await stage.worker({ offsetReset: 'earliest' });
    await second.untilHandled(1);
  });
});

describe('a committed offset that the log does not hold', () => {
  test('because it was trimmed is told, and the policy applies', async ({ stage, ioredis }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 5));
    const before = await stage.worker({ partitionsConsumedConcurrently: 1 }, (delivery) => {
      if (delivery.record.offset === 1) delivery.pause();
    });
    await stage.untilCommitted(0, 2);
    await before.close();
    const { log, state } = createKeys(stage.prefix).partition(TOPIC, 0);
    await ioredis.multi().xtrim(log, 'MINID', '0-4').hset(state, 'start', 3).exec();
    const after = await stage.worker();
    await after.untilHandled(2);
    expect(offsetsOf(after.delivered, 0)).toEqual([3, 4]);
    expect(after.told.error).toMatchObject([
      { name: 'DataError', code: 'OFFSET_OUT_OF_RANGE', details: { from: 2, to: 3, logStart: 3, logEnd: 5 } },
    ]);
    expect(after.told.recordsTrimmed).toEqual([
      { group: GROUP, topic: TOPIC, partition: 0, from: 2, to: 3, lost: 1, next: 3 },
    ]);
  });

  test('because the log lost its tail is told, and nothing is read twice', async ({ stage, ioredis }) => {
    await stage.createTopic(1);
    await stage.send(0, values('v', 5));
    const before = await stage.worker();
    await stage.untilCommitted(0, 5);
    await before.close();
    const { log, state } = createKeys(stage.prefix).partition(TOPIC, 0);
    await ioredis.multi().xdel(log, '0-4', '0-5').hset(state, 'end', 3).exec();
    const after = await stage.worker();
    await eventually(() => after.codes.length === 1);
    expect(after.told.error).toMatchObject([
      { code: 'LOG_TRUNCATED', details: { from: 3, to: 5, committed: 3, policy: 'resume' } },
    ]);
    expect(after.told.logTruncated).toMatchObject([{ from: 3, to: 5, committed: 3 }]);
    expect(after.delivered).toEqual([]);
  });
});
